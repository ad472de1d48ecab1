//! From a transaction's logs to its events of one exchange.
//!
//! Anyone can found an exchange of this program, and events name markets by their index only. So an event counts when the
//! very instruction that logged it names the exchange, or a market of it, where the program checks it: not when a
//! transaction merely mentions one.

use ballast_client::events::{Event, raw_logs};
use base64::{Engine, prelude::BASE64_STANDARD};
use solana_pubkey::Pubkey;

use super::{Call, Fetched, SourceError};
use crate::{api::Markets, idl::IDL};

/// Name of an event that this program cannot decode.
pub const UNKNOWN: &str = "Unknown";

/// One event as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Its place in the logs, from 0.
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
    /// From what was logged.
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

    /// Its bytes in base64, as in the logs.
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

/// A transaction's events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    /// Those of the exchange, in order.
    pub events: Vec<Logged>,
    /// The runtime cut the logs off: some may be missing.
    pub truncated: bool,
}

/// Whether an instruction is about this exchange.
fn concerns(call: &Call, exchange: &str, markets: &Markets) -> bool {
    let at = |place: usize| call.accounts.get(place).map(String::as_str).unwrap_or_default();
    match IDL.instruction(&call.data) {
        Some(named) => {
            named.exchange.is_none_or(|place| at(place) == exchange)
                && named.market.is_none_or(|place| markets.index(at(place)).is_some())
        }
        // The program is newer than this indexer. It checks what it is given, so a mention is the best guess there is.
        None => call.accounts.iter().any(|account| account == exchange || markets.index(account).is_some()),
    }
}

/// The events of an exchange in a transaction that succeeded.
///
/// # Errors
/// When logs and instructions do not fit: the node keeps no inner instructions.
pub fn decode(fetched: &Fetched, exchange: &Pubkey, markets: &Markets) -> Result<Decoded, SourceError> {
    let exchange = exchange.to_string();
    let raw = raw_logs(&fetched.logs);
    let mut events = Vec::new();
    for (event, line) in (0..).zip(raw.lines) {
        let call = fetched.calls.get(line.invocation).ok_or_else(|| {
            SourceError::Lacking("a transaction lacks inner instructions: the node must keep them".to_string())
        })?;
        if concerns(call, &exchange, markets) {
            events.push(Logged::new(event, line.data, markets));
        }
    }
    Ok(Decoded { events, truncated: raw.truncated })
}

#[cfg(test)]
mod tests {
    use anchor_lang::{Discriminator, Event as _};
    use ballast_client::{
        addresses::{self, PROGRAM_ID},
        ballast::{
            events::{BookGrown, Deposited},
            instruction::{Deposit, GrowBook},
        },
    };

    use super::*;

    fn grown(market: Pubkey, mention: Pubkey) -> Call {
        let accounts = [PROGRAM_ID, market, mention].map(|key| key.to_string()).to_vec();
        Call { accounts, data: GrowBook::DISCRIMINATOR.to_vec() }
    }

    fn transaction(calls: Vec<Call>, data: &[u8]) -> Fetched {
        let line = format!("Program data: {}", BASE64_STANDARD.encode(data));
        let logs = calls.iter().flat_map(|_| {
            [format!("Program {PROGRAM_ID} invoke [1]"), line.clone(), format!("Program {PROGRAM_ID} success")]
        });
        Fetched { logs: logs.collect(), calls, ..Fetched::default() }
    }

    #[test]
    fn another_exchanges_events_are_not_taken_even_if_this_one_is_mentioned() {
        let (ours, other) = (Pubkey::new_from_array([1; 32]), Pubkey::new_from_array([2; 32]));
        let markets = Markets::new(&ours);
        let market = |exchange| addresses::market(exchange, 0);
        let calls = vec![grown(market(&other), market(&ours)), grown(market(&ours), other)];
        let fetched = transaction(calls, &BookGrown { market: 0, blocks: 7 }.data());
        let decoded = decode(&fetched, &ours, &markets).unwrap();
        assert_eq!(decoded.events.iter().map(|event| event.event).collect::<Vec<_>>(), [1]);
        assert_eq!((decoded.events[0].kind.as_str(), decoded.events[0].market), ("BookGrown", Some(0)));

        let deposit = |exchange: Pubkey| {
            let accounts = vec![ours.to_string(), exchange.to_string(), ours.to_string()];
            Call { accounts, data: Deposit::DISCRIMINATOR.to_vec() }
        };
        let event = Deposited { account: ours, amount: 1, collateral: 1 };
        let fetched = transaction(vec![deposit(other), deposit(ours)], &event.data());
        assert_eq!(decode(&fetched, &ours, &markets).unwrap().events.len(), 1);
    }

    #[test]
    fn what_cannot_be_decoded_is_kept_for_a_newer_indexer() {
        let ours = Pubkey::new_from_array([1; 32]);
        let markets = Markets::new(&ours);
        let fetched = transaction(vec![grown(addresses::market(&ours, 3), ours)], &[9; 20]);
        let decoded = decode(&fetched, &ours, &markets).unwrap();
        assert_eq!((decoded.events[0].kind.as_str(), &decoded.events[0].data[..]), (UNKNOWN, &[9; 20][..]));
        let lacking = Fetched { calls: vec![], ..fetched };
        assert!(decode(&lacking, &ours, &markets).is_err());
    }
}
