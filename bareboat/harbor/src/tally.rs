//! How often each question was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::answer::{Protocol, Question};

/// One count that all listeners share.
#[derive(Debug, Clone, Default)]
pub struct Tally(Arc<Mutex<BTreeMap<Question, u64>>>);

/// The count at one moment, as the control endpoint tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queries {
    pub queries: Vec<Counted>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    #[serde(flatten)]
    pub question: Question,
    pub count: u64,
}

impl Tally {
    pub fn count(&self, question: Question) {
        *self.lock().entry(question).or_default() += 1;
    }

    pub fn reset(&self) {
        self.lock().clear();
    }

    pub fn queries(&self) -> Queries {
        let counted = |(question, count): (&Question, &u64)| Counted {
            question: question.clone(),
            count: *count,
        };
        Queries {
            queries: self.lock().iter().map(counted).collect(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Question, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queries {
    /// How often a name was asked for, with any type.
    pub fn of(&self, name: &str, protocol: Protocol) -> u64 {
        let matches = |counted: &&Counted| {
            counted.question.name == name && counted.question.protocol == protocol
        };
        self.queries
            .iter()
            .filter(matches)
            .map(|counted| counted.count)
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(name: &str, record_type: &str, protocol: Protocol) -> Question {
        Question {
            name: name.to_owned(),
            record_type: record_type.to_owned(),
            protocol,
        }
    }

    #[test]
    fn counts_by_name_type_and_protocol() {
        let tally = Tally::default();
        let shared = tally.clone();
        shared.count(question("big.harbor.test", "A", Protocol::Udp));
        shared.count(question("big.harbor.test", "A", Protocol::Tcp));
        shared.count(question("big.harbor.test", "A", Protocol::Tcp));
        shared.count(question("big.harbor.test", "AAAA", Protocol::Udp));
        let queries = tally.queries();
        assert_eq!(queries.queries.len(), 3);
        assert_eq!(queries.of("big.harbor.test", Protocol::Tcp), 2);
        assert_eq!(queries.of("big.harbor.test", Protocol::Udp), 2);
        assert_eq!(queries.of("good.harbor.test", Protocol::Udp), 0);
        tally.reset();
        assert_eq!(shared.queries(), Queries::default());
    }

    #[test]
    fn is_told_as_flat_json() {
        let tally = Tally::default();
        tally.count(question("short.internal", "A", Protocol::Udp));
        assert_eq!(
            serde_json::to_string(&tally.queries()).unwrap(),
            r#"{"queries":[{"name":"short.internal","type":"A","protocol":"udp","count":1}]}"#
        );
    }
}
