//! From what the program recorded in a transaction to the events of one exchange.
//!
//! Anyone can found an exchange of this program, and events name markets by their index only. So an event counts when the
//! very instruction that told it names the exchange, or a market of it, where the program checks it: not when a
//! transaction merely mentions one.

use ballast_client::{
    events::Event,
    record::{Newer, recorded},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use solana_pubkey::Pubkey;

use super::{Fetched, SourceError};
use crate::{api::Markets, idl::IDL};

/// Name of an event that this program cannot decode.
pub const UNKNOWN: &str = "Unknown";

/// One event as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Its place among all that the program recorded in the transaction, from 0.
    pub event: i64,
    /// Its name.
    pub kind: String,
    /// The market's index, where it has one.
    pub market: Option<u16>,
    /// Its fields as JSON.
    pub json: Option<String>,
    /// Its bytes.
    pub data: Vec<u8>,
}

impl Logged {
    /// From what was recorded.
    pub fn new(event: i64, data: Vec<u8>, markets: &Markets) -> Logged {
        let known = IDL.event(&data).filter(|_| Event::decode(&data).is_some());
        let Some((kind, fields)) = known else {
            return Logged { event, kind: UNKNOWN.to_string(), market: None, json: None, data };
        };
        let market = fields.get("market").and_then(|market| match market.as_str() {
            Some(address) => markets.index(address),
            None => market.as_u64().and_then(|index| u16::try_from(index).ok()),
        });
        Logged { event, kind: kind.to_string(), market, json: Some(fields.to_string()), data }
    }

    /// Its bytes in base64.
    pub fn base64(&self) -> String {
        BASE64_STANDARD.encode(&self.data)
    }

    /// The bytes of [`Logged::base64`].
    pub fn bytes(text: &str) -> Option<Vec<u8>> {
        BASE64_STANDARD.decode(text).ok()
    }

    /// As the program declares it.
    pub fn typed(&self) -> Option<Event> {
        Event::decode(&self.data)
    }
}

/// The events of an exchange in a transaction that succeeded.
///
/// # Errors
/// `Newer` where an instruction that this indexer does not know mentions the exchange: whether it is about it, only a newer indexer
/// can say.
pub fn decode(fetched: &Fetched, exchange: &Pubkey, markets: &Markets) -> Result<Vec<Logged>, SourceError> {
    let is_market = |key: &Pubkey| markets.index(&key.to_string()).is_some();
    let mut ours = Vec::new();
    for (at, event) in (0..).zip(recorded(&fetched.invocations)) {
        let concerns = fetched.invocations[event.by].concerns(exchange, is_market);
        if concerns.map_err(|Newer| SourceError::Newer)? {
            ours.push(Logged::new(at, event.data.to_vec(), markets));
        }
    }
    Ok(ours)
}

#[cfg(test)]
mod tests {
    use anchor_lang::{Discriminator, Event as _};
    use ballast_client::{
        addresses::{self, PROGRAM_ID},
        ballast::{events::BookGrown, instruction::GrowBook, record::TAG},
        record::Invocation,
    };

    use super::*;

    /// The instruction, and its record of one event.
    fn grow_book(accounts: &[Pubkey], event: &[u8]) -> [Invocation; 2] {
        let length = u16::try_from(event.len()).unwrap().to_le_bytes();
        let record = [&TAG[..], &length, event].concat();
        let call = |height, accounts: &[Pubkey], data: &[u8]| Invocation {
            program: PROGRAM_ID,
            height,
            accounts: accounts.to_vec(),
            data: data.to_vec(),
        };
        [call(1, accounts, GrowBook::DISCRIMINATOR), call(2, &[], &record)]
    }

    #[test]
    fn another_exchanges_events_are_not_taken_but_counted() {
        let (ours, other) = (Pubkey::new_from_array([1; 32]), Pubkey::new_from_array([2; 32]));
        let markets = Markets::new(&ours);
        let market = |exchange| addresses::market(exchange, 0);
        let event = BookGrown { market: 0, blocks: 7 }.data();
        let grown = |market, mention| grow_book(&[other, market, mention], &event);
        let invocations = [grown(market(&other), market(&ours)), grown(market(&ours), other)].concat();
        let decoded = decode(&Fetched { invocations, ..Fetched::default() }, &ours, &markets).unwrap();
        assert_eq!(decoded.iter().map(|event| event.event).collect::<Vec<_>>(), [1]);
        assert_eq!((decoded[0].kind.as_str(), decoded[0].market), ("BookGrown", Some(0)));
    }

    #[test]
    fn an_instruction_of_a_newer_program_is_not_guessed_at() {
        let ours = Pubkey::new_from_array([1; 32]);
        let mut invocations = grow_book(&[ours], &BookGrown { market: 0, blocks: 7 }.data()).to_vec();
        invocations[0].data = vec![9; 8];
        let decoded = decode(&Fetched { invocations, ..Fetched::default() }, &ours, &Markets::new(&ours));
        assert!(matches!(decoded, Err(SourceError::Newer)));
    }

    #[test]
    fn what_cannot_be_decoded_is_kept_for_a_newer_indexer() {
        let ours = Pubkey::new_from_array([1; 32]);
        let invocations = grow_book(&[ours, addresses::market(&ours, 3)], &[9; 20]).to_vec();
        let decoded = decode(&Fetched { invocations, ..Fetched::default() }, &ours, &Markets::new(&ours)).unwrap();
        assert_eq!((decoded[0].kind.as_str(), &decoded[0].data[..]), (UNKNOWN, &[9; 20][..]));
    }
}
