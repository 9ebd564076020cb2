//! Writes JSON to the standard output, by way of a small buffer.

use crate::system::write;

pub struct Output {
    bytes: [u8; 1024],
    length: usize,
}

impl Output {
    pub const fn new() -> Self {
        Self {
            bytes: [0; 1024],
            length: 0,
        }
    }

    pub fn text(&mut self, text: &str) {
        for byte in text.bytes() {
            if self.length == self.bytes.len() {
                self.flush();
            }
            if let Some(place) = self.bytes.get_mut(self.length) {
                *place = byte;
                self.length += 1;
            }
        }
    }

    pub fn number(&mut self, number: u64) {
        if number > 9 {
            self.number(number / 10);
        }
        let digits = "0123456789";
        let last = (number % 10) as usize;
        self.text(digits.get(last..=last).unwrap_or(""));
    }

    /// `"name":number`; a comma before it unless it is the first.
    pub fn field(&mut self, before: &str, name: &str, number: u64) {
        self.text(before);
        self.text("\"");
        self.text(name);
        self.text("\":");
        self.number(number);
    }

    /// The same of a time after another one; `null` of one that never came.
    pub fn moment(&mut self, name: &str, moment: u64, began: u64) {
        if moment == 0 {
            self.text(",\"");
            self.text(name);
            self.text("\":null");
        } else {
            self.field(",", name, moment.saturating_sub(began));
        }
    }

    pub fn flush(&mut self) {
        let mut done = 0;
        while let Some(rest) = self.bytes.get(done..self.length) {
            let written = write(1, rest);
            if written <= 0 {
                break;
            }
            done += written as usize;
        }
        self.length = 0;
    }
}
