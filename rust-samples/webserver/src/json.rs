//! Writes one flat JSON object, field by field.

use std::fmt::{Display, Write};

pub struct Object(String);

impl Object {
    pub fn new() -> Self {
        Self("{".to_owned())
    }

    #[must_use]
    pub fn text(mut self, key: &str, value: &str) -> Self {
        self.key(key);
        push_string(&mut self.0, value);
        self
    }

    /// A value whose text is a JSON number already.
    #[must_use]
    pub fn number(mut self, key: &str, value: impl Display) -> Self {
        self.key(key);
        // Writing to a String cannot fail.
        let _ = write!(self.0, "{value}");
        self
    }

    pub fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }

    fn key(&mut self, key: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        push_string(&mut self.0, key);
        self.0.push(':');
    }
}

fn push_string(to: &mut String, value: &str) {
    to.push('"');
    for character in value.chars() {
        match character {
            '"' => to.push_str("\\\""),
            '\\' => to.push_str("\\\\"),
            '\n' => to.push_str("\\n"),
            '\r' => to.push_str("\\r"),
            '\t' => to.push_str("\\t"),
            // U+2028 and U+2029 end a line for some readers of one object a line.
            '\0'..='\x1f' | '\x7f' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(to, "\\u{:04x}", u32::from(character));
            }
            _ => to.push(character),
        }
    }
    to.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_separated_and_numbers_are_bare() {
        let object = Object::new().text("a", "b").number("c", 1).number("d", 0.5);
        assert_eq!(object.finish(), r#"{"a":"b","c":1,"d":0.5}"#);
        assert_eq!(Object::new().finish(), "{}");
    }

    #[test]
    fn what_would_end_the_string_or_the_line_is_escaped() {
        let escaped = Object::new()
            .text("k", "\"\\\n\r\t\0\x1b\x7f\u{2028}é😀")
            .finish();
        assert_eq!(
            escaped,
            "{\"k\":\"\\\"\\\\\\n\\r\\t\\u0000\\u001b\\u007f\\u2028é😀\"}"
        );
    }
}
