//! From the bytes of a DNS query to the bytes of its answer.

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, RData, Record};
use serde::{Deserialize, Serialize};

use crate::zone::{Found, Zone, start_of_authority};

const TIME_TO_LIVE_SECONDS: u32 = 60;
/// As today's servers keep it, so that no answer is cut into fragments: <https://www.dnsflagday.net/2020/>
const MAXIMUM_UDP_BYTES: u16 = 1232;
const HEADER_BYTES: usize = 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    Udp,
    Tcp,
}

/// One question as it came; the name in lower case and without the last dot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Question {
    pub name: String,
    #[serde(rename = "type")]
    pub record_type: String,
    pub protocol: Protocol,
}

/// What to count and what to send; either may be nothing.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    pub question: Option<Question>,
    pub response: Option<Vec<u8>>,
}

pub fn answer(zone: Zone, bytes: &[u8], protocol: Protocol) -> Exchange {
    let query = match Message::from_vec(bytes) {
        Ok(query) if query.metadata.message_type == MessageType::Query => query,
        Ok(_) => return Exchange::default(),
        Err(_) => {
            return Exchange {
                question: None,
                response: complain(bytes),
            };
        }
    };
    let [asked] = query.queries.as_slice() else {
        return Exchange {
            question: None,
            response: refuse(&query, ResponseCode::FormErr),
        };
    };
    let question = Some(question(asked, protocol));
    if query.metadata.op_code != OpCode::Query {
        return Exchange {
            question,
            response: refuse(&query, ResponseCode::NotImp),
        };
    }
    let found = match asked.query_class {
        DNSClass::IN => zone.look_up(&asked.name, asked.query_type),
        _ => Found::NotOurs,
    };
    let response = respond(&query, &asked.name, found);
    Exchange {
        question,
        response: response.and_then(|whole| fit(&query, &whole, protocol)),
    }
}

fn question(asked: &Query, protocol: Protocol) -> Question {
    let name = asked.name.to_lowercase().to_ascii();
    Question {
        name: name.trim_end_matches('.').to_owned(),
        record_type: asked.query_type.to_string(),
        protocol,
    }
}

fn respond(query: &Message, name: &Name, found: Found) -> Option<Message> {
    let mut response = start(query);
    response.metadata.authoritative = true;
    match found {
        Found::Silence => return None,
        Found::Records(records) => {
            response.add_answers(records.into_iter().map(|data| record(name, data)));
        }
        Found::NoData(apex) => {
            response.add_authority(record(&apex, start_of_authority(&apex)));
        }
        Found::NoSuchName(apex) => {
            response.metadata.response_code = ResponseCode::NXDomain;
            response.add_authority(record(&apex, start_of_authority(&apex)));
        }
        Found::Failure => response.metadata.response_code = ResponseCode::ServFail,
        Found::NotOurs => {
            response.metadata.authoritative = false;
            response.metadata.response_code = ResponseCode::Refused;
        }
    }
    Some(response)
}

/// The whole answer, or over UDP an empty one marked as truncated where it would not fit.
fn fit(query: &Message, whole: &Message, protocol: Protocol) -> Option<Vec<u8>> {
    let bytes = whole.to_vec().ok()?;
    let room = usize::from(query.max_payload().min(MAXIMUM_UDP_BYTES));
    if protocol == Protocol::Udp && bytes.len() > room {
        whole.truncate().to_vec().ok()
    } else {
        Some(bytes)
    }
}

fn start(query: &Message) -> Message {
    let mut response = Message::response(query.metadata.id, query.metadata.op_code);
    response.metadata.recursion_desired = query.metadata.recursion_desired;
    response.add_queries(query.queries.iter().cloned());
    if query.edns.is_some() {
        let mut edns = Edns::new();
        edns.set_max_payload(MAXIMUM_UDP_BYTES);
        response.set_edns(edns);
    }
    response
}

fn refuse(query: &Message, response_code: ResponseCode) -> Option<Vec<u8>> {
    let mut response = start(query);
    response.metadata.response_code = response_code;
    response.to_vec().ok()
}

/// To what cannot be read: a format error with its number, unless it is itself an answer.
fn complain(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.len() < HEADER_BYTES || bytes[2] & 0x80 != 0 {
        return None;
    }
    let number = u16::from_be_bytes([bytes[0], bytes[1]]);
    Message::error_msg(number, OpCode::Query, ResponseCode::FormErr)
        .to_vec()
        .ok()
}

fn record(name: &Name, data: RData) -> Record {
    Record::from_rdata(name.clone(), TIME_TO_LIVE_SECONDS, data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_proto::rr::RecordType;

    const ZONE: Zone = Zone { ipv6: true };

    fn query(name: &str, record_type: RecordType) -> Message {
        let mut query = Message::query();
        query.metadata.id = 4711;
        query.metadata.recursion_desired = true;
        query.add_query(Query::query(Name::from_ascii(name).unwrap(), record_type));
        query
    }

    fn ask(query: &Message, protocol: Protocol) -> Message {
        let exchange = answer(ZONE, &query.to_vec().unwrap(), protocol);
        Message::from_vec(&exchange.response.unwrap()).unwrap()
    }

    fn ask_both(name: &str, record_type: RecordType) -> Message {
        let query = query(name, record_type);
        let over_udp = ask(&query, Protocol::Udp);
        assert_eq!(over_udp, ask(&query, Protocol::Tcp), "{name}");
        over_udp
    }

    #[test]
    fn an_address_is_answered_with_authority() {
        let response = ask_both("good.harbor.test.", RecordType::A);
        assert_eq!(response.metadata.id, 4711);
        assert!(response.metadata.authoritative);
        assert!(response.metadata.recursion_desired);
        assert_eq!(response.metadata.response_code, ResponseCode::NoError);
        let asked = query("good.harbor.test.", RecordType::A);
        assert_eq!(response.queries, asked.queries);
        assert_eq!(response.answers.len(), 1);
    }

    #[test]
    fn every_name_type_and_code() {
        use ResponseCode::{NXDomain, NoError, Refused, ServFail};
        for (name, record_type, code, answers, authorities) in [
            ("good.harbor.test.", RecordType::AAAA, NoError, 1, 0),
            ("v4only.harbor.test.", RecordType::A, NoError, 1, 0),
            ("v4only.harbor.test.", RecordType::AAAA, NoError, 0, 1),
            ("v6fails.harbor.test.", RecordType::A, NoError, 1, 0),
            ("v6fails.harbor.test.", RecordType::AAAA, ServFail, 0, 0),
            ("nothing.harbor.test.", RecordType::A, NXDomain, 0, 1),
            ("nothing.harbor.test.", RecordType::AAAA, NXDomain, 0, 1),
            ("short.svc.internal.", RecordType::A, NXDomain, 0, 1),
            ("good.harbor.test.", RecordType::HTTPS, NoError, 0, 1),
            ("example.com.", RecordType::A, Refused, 0, 0),
            ("short.", RecordType::A, Refused, 0, 0),
        ] {
            let response = ask_both(name, record_type);
            assert_eq!(
                response.metadata.response_code, code,
                "{name} {record_type}"
            );
            assert_eq!(response.answers.len(), answers, "{name} {record_type}");
            assert_eq!(
                response.authorities.len(),
                authorities,
                "{name} {record_type}"
            );
        }
    }

    #[test]
    fn the_big_answer_is_truncated_over_udp_and_whole_over_tcp() {
        let mut query = query("big.harbor.test.", RecordType::A);
        for room in [None, Some(512), Some(1232), Some(4096), Some(65_535)] {
            if let Some(room) = room {
                let mut edns = Edns::new();
                edns.set_max_payload(room);
                query.set_edns(edns);
            }
            let over_udp = ask(&query, Protocol::Udp);
            assert!(over_udp.metadata.truncation, "{room:?}");
            assert!(over_udp.answers.is_empty(), "{room:?}");
            assert_eq!(over_udp.edns.is_some(), room.is_some());
            let over_tcp = ask(&query, Protocol::Tcp);
            assert!(!over_tcp.metadata.truncation, "{room:?}");
            assert_eq!(over_tcp.answers.len(), 200, "{room:?}");
        }
        let size = answer(ZONE, &query.to_vec().unwrap(), Protocol::Tcp)
            .response
            .unwrap()
            .len();
        assert!((1233..4800).contains(&size), "{size}");
    }

    #[test]
    fn silence_is_counted_and_not_answered() {
        let asked = query("silent.harbor.test.", RecordType::A)
            .to_vec()
            .unwrap();
        let exchange = answer(ZONE, &asked, Protocol::Udp);
        assert_eq!(exchange.response, None);
        assert_eq!(exchange.question.unwrap().name, "silent.harbor.test");
    }

    #[test]
    fn a_question_is_counted_in_lower_case_and_answered_as_spelled() {
        let asked = query("GoOd.harbor.TEST.", RecordType::AAAA);
        let exchange = answer(ZONE, &asked.to_vec().unwrap(), Protocol::Tcp);
        let counted = Question {
            name: "good.harbor.test".to_owned(),
            record_type: "AAAA".to_owned(),
            protocol: Protocol::Tcp,
        };
        assert_eq!(exchange.question, Some(counted));
        let response = Message::from_vec(&exchange.response.unwrap()).unwrap();
        assert_eq!(response.answers[0].name.to_ascii(), "GoOd.harbor.TEST.");
    }

    #[test]
    fn what_cannot_be_read_gets_a_format_error_or_nothing() {
        let garbage = [0x12, 0x67, 1, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0xff];
        let exchange = answer(ZONE, &garbage, Protocol::Udp);
        let response = Message::from_vec(&exchange.response.unwrap()).unwrap();
        assert_eq!(response.metadata.id, 0x1267);
        assert_eq!(response.metadata.response_code, ResponseCode::FormErr);
        assert_eq!(
            answer(ZONE, &garbage[..11], Protocol::Udp),
            Exchange::default()
        );
        let response = response.to_vec().unwrap();
        assert_eq!(answer(ZONE, &response, Protocol::Udp), Exchange::default());
    }

    #[test]
    fn two_questions_or_another_operation_are_refused() {
        let mut two = query("good.harbor.test.", RecordType::A);
        two.add_query(two.queries[0].clone());
        assert_eq!(
            ask(&two, Protocol::Udp).metadata.response_code,
            ResponseCode::FormErr
        );
        let mut update = query("good.harbor.test.", RecordType::A);
        update.metadata.op_code = OpCode::Notify;
        assert_eq!(
            ask(&update, Protocol::Udp).metadata.response_code,
            ResponseCode::NotImp
        );
    }
}
