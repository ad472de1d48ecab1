//! What the program recorded in a transaction (see [`ballast::record`]): its events, and which instruction told each.
//!
//! [`Whole`] is a transaction as nodes give it in the encoding `json`; its [`invocations`](Whole::invocations) say what
//! called what, and [`recorded`] picks out the program's own word. Events name markets by their index only, and anyone can
//! found an exchange of the program: [`Invocation::concerns`] says whose an event is.

use ballast::record;
use serde::Deserialize;
use solana_pubkey::Pubkey;

use crate::{addresses::PROGRAM_ID, events::Event};

/// Where an instruction names the exchange or the market that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// Place of the exchange among its accounts.
    pub exchange: Option<usize>,
    /// Place of the market.
    pub market: Option<usize>,
}

/// The newest version of transactions to ask nodes for. They refuse to give a newer one, and anybody may mention the program in one.
pub const TRANSACTION_VERSION: u8 = 1;

static NAMED: &[([u8; 8], Named)] = include!(concat!(env!("OUT_DIR"), "/named.rs"));

/// Where the instruction with this data names exchange and market; `None` when this client does not know it.
pub fn named(data: &[u8]) -> Option<Named> {
    let discriminator = data.first_chunk::<8>()?;
    NAMED.iter().find(|(known, _)| known == discriminator).map(|(_, named)| *named)
}

/// An instruction that ran, of any program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invocation {
    /// Its program.
    pub program: Pubkey,
    /// 1 for an instruction of the transaction itself, one more for each call.
    pub height: u32,
    /// Its accounts.
    pub accounts: Vec<Pubkey>,
    /// Its data.
    pub data: Vec<u8>,
}

impl Invocation {
    /// Whether it is about this exchange: whether it names it, or a market of it, where the program checks it. To mention
    /// one elsewhere is not enough.
    ///
    /// # Errors
    /// When it mentions one, and the program is newer than this client: where its instruction checks what, only a newer one knows.
    pub fn concerns(&self, exchange: &Pubkey, is_market: impl Fn(&Pubkey) -> bool) -> Result<bool, Newer> {
        let at = |place: Option<usize>, is: &dyn Fn(&Pubkey) -> bool| {
            place.is_none_or(|place| self.accounts.get(place).is_some_and(is))
        };
        match named(&self.data) {
            Some(named) => Ok(at(named.exchange, &|key| key == exchange) && at(named.market, &is_market)),
            None if self.accounts.iter().any(|key| key == exchange || is_market(key)) => Err(Newer),
            None => Ok(false),
        }
    }
}

/// The program has an instruction that this client does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the program is newer than this client")]
pub struct Newer;

/// An event as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded<'a> {
    /// Which of the invocations told it.
    pub by: usize,
    /// The event, serialised.
    pub data: &'a [u8],
}

impl Recorded<'_> {
    /// As the program declares it; `None` when this client does not know it.
    pub fn event(&self) -> Option<Event> {
        Event::decode(self.data)
    }
}

/// The events that the program recorded, in order. `invocations` are all of a transaction, in the order in which they began.
///
/// A record counts only where the program called itself: bytes that others send it say nothing.
pub fn recorded(invocations: &[Invocation]) -> Vec<Recorded<'_>> {
    let mut events = Vec::new();
    // The invocations that are under way, from the transaction's own to the innermost.
    let mut under_way: Vec<usize> = Vec::new();
    for (at, invocation) in invocations.iter().enumerate() {
        under_way.truncate((invocation.height as usize).saturating_sub(1));
        let caller = under_way.last().map(|&at| (at, &invocations[at]));
        under_way.push(at);
        let Some((by, caller)) = caller else { continue };
        let own = invocation.program == PROGRAM_ID && caller.program == PROGRAM_ID;
        let direct = caller.height.checked_add(1) == Some(invocation.height);
        if own && direct && invocation.accounts.is_empty() {
            let told = record::events(&invocation.data).into_iter().flatten();
            events.extend(told.map(|data| Recorded { by, data }));
        }
    }
    events
}

/// A transaction as `getTransaction` gives it in the encoding `json`, as far as it is needed.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Whole {
    /// Its slot.
    pub slot: u64,
    /// Its block's unix time, where the node knows it.
    pub block_time: Option<i64>,
    /// What was signed.
    pub transaction: Signed,
    /// What became of it.
    pub meta: Option<Meta>,
}

/// What was signed.
#[derive(Clone, Debug, Deserialize)]
pub struct Signed {
    /// The message.
    pub message: Message,
}

/// A message.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Its own account keys; those of lookup tables come after them.
    pub account_keys: Vec<String>,
    /// Its instructions.
    pub instructions: Vec<Compiled>,
}

/// An instruction whose keys are places.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Compiled {
    /// Place of its program.
    pub program_id_index: usize,
    /// Places of its accounts.
    pub accounts: Vec<usize>,
    /// Its data in base 58.
    pub data: String,
    /// Its height, of one that was called.
    #[serde(default)]
    pub stack_height: Option<u32>,
}

/// What became of a transaction.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Meta {
    /// Why it failed, if it did.
    #[serde(default)]
    pub err: Option<serde::de::IgnoredAny>,
    /// What was called by each of its instructions.
    pub inner_instructions: Option<Vec<Inner>>,
    /// Keys that came from lookup tables.
    #[serde(default)]
    pub loaded_addresses: Option<Loaded>,
}

/// What an instruction called.
#[derive(Clone, Debug, Deserialize)]
pub struct Inner {
    /// The instruction's place.
    pub index: usize,
    /// The calls, in the order in which they began.
    pub instructions: Vec<Compiled>,
}

/// Keys that came from lookup tables.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Loaded {
    /// Those that may be written.
    pub writable: Vec<String>,
    /// The others.
    pub readonly: Vec<String>,
}

/// Why a node's transaction is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The node does not keep what instructions called.
    #[error("a transaction lacks its inner instructions: the node must keep them")]
    Lacking,
    /// It contradicts itself.
    #[error("a transaction is malformed: {0}")]
    Malformed(&'static str),
}

impl Whole {
    /// Its invocations in the order in which they began; none if it failed, for then nothing of it holds.
    ///
    /// # Errors
    /// When the node keeps no inner instructions or not their heights, or the transaction contradicts itself.
    pub fn invocations(&self) -> Result<Vec<Invocation>, WireError> {
        let meta = self.meta.as_ref().ok_or(WireError::Lacking)?;
        if meta.err.is_some() {
            return Ok(Vec::new());
        }
        let inner = meta.inner_instructions.as_ref().ok_or(WireError::Lacking)?;
        let loaded = meta.loaded_addresses.iter().flat_map(|loaded| loaded.writable.iter().chain(&loaded.readonly));
        let keys = self.transaction.message.account_keys.iter().chain(loaded);
        let keys: Vec<Pubkey> = keys
            .map(|key| key.parse().map_err(|_| WireError::Malformed("a key is no address")))
            .collect::<Result<_, _>>()?;
        let mut all = Vec::new();
        for (at, outer) in self.transaction.message.instructions.iter().enumerate() {
            all.push(outer.invocation(&keys, 1)?);
            for called in inner.iter().filter(|inner| inner.index == at).flat_map(|inner| &inner.instructions) {
                all.push(called.invocation(&keys, called.stack_height.ok_or(WireError::Lacking)?)?);
            }
        }
        Ok(all)
    }
}

impl Compiled {
    fn invocation(&self, keys: &[Pubkey], height: u32) -> Result<Invocation, WireError> {
        let key = |place: usize| keys.get(place).copied().ok_or(WireError::Malformed("it names a key that it has not"));
        Ok(Invocation {
            program: key(self.program_id_index)?,
            height,
            accounts: self.accounts.iter().map(|&place| key(place)).collect::<Result<_, _>>()?,
            data: bs58::decode(&self.data).into_vec().map_err(|_| WireError::Malformed("data is not in base 58"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use anchor_lang::{Discriminator, Event as _};
    use ballast::{
        events::{BookGrown, Deposited},
        instruction::{Deposit, GrowBook, PlaceOrder, SetDelegate},
        record::TAG,
    };

    use super::*;
    use crate::addresses;

    const OTHER: Pubkey = Pubkey::new_from_array([9; 32]);

    fn call(program: Pubkey, height: u32, data: &[u8]) -> Invocation {
        Invocation { program, height, accounts: vec![], data: data.to_vec() }
    }

    fn record(amounts: &[u64]) -> Vec<u8> {
        let mut data = TAG.to_vec();
        for &amount in amounts {
            let event = Deposited { account: OTHER, amount, collateral: amount }.data();
            data.extend(u16::try_from(event.len()).unwrap().to_le_bytes());
            data.extend(event);
        }
        data
    }

    fn told(invocations: &[Invocation]) -> Vec<(usize, u64)> {
        let amount = |recorded: &Recorded| match recorded.event() {
            Some(Event::Deposited(event)) => (recorded.by, event.amount),
            _ => panic!("a deposit was recorded"),
        };
        recorded(invocations).iter().map(amount).collect()
    }

    #[test]
    fn only_the_program_itself_records() {
        let ours = PROGRAM_ID;
        let with_account = Invocation { accounts: vec![OTHER], ..call(ours, 2, &record(&[7])) };
        let all = [
            // Anybody can send the same bytes, from outside and out of another program,
            call(ours, 1, &record(&[1])),
            call(OTHER, 1, &[]),
            call(ours, 2, &record(&[2])),
            // also when the program was called just before, or is further up.
            call(ours, 2, &[5]),
            call(ours, 3, &record(&[3, 4])),
            call(ours, 2, &record(&[5])),
            call(ours, 1, &[5]),
            call(OTHER, 2, &[]),
            call(ours, 3, &record(&[6])),
            with_account,
            // To other programs it says nothing.
            call(OTHER, 2, &record(&[8])),
            call(ours, 2, &record(&[9])),
            call(ours, 2, &record(&[])),
            call(ours, 1, &record(&[10])),
        ];
        assert_eq!(told(&all), [(3, 3), (3, 4), (6, 9)]);
    }

    #[test]
    fn a_height_that_leaves_one_out_is_no_call_of_ours() {
        let all = [call(PROGRAM_ID, 1, &[]), call(PROGRAM_ID, 3, &record(&[1]))];
        assert_eq!(told(&all), []);
    }

    #[test]
    fn events_belong_to_the_exchange_that_their_instruction_is_checked_against() {
        let (ours, other) = (Pubkey::new_from_array([1; 32]), Pubkey::new_from_array([2; 32]));
        let is_ours = |key: &Pubkey| *key == addresses::market(&ours, 0);
        let grown = |market: Pubkey, mention: Pubkey| Invocation {
            accounts: vec![OTHER, market, mention],
            ..call(PROGRAM_ID, 1, GrowBook::DISCRIMINATOR)
        };
        let market = |exchange| addresses::market(exchange, 0);
        assert_eq!(grown(market(&ours), other).concerns(&ours, is_ours), Ok(true));
        assert_eq!(grown(market(&other), market(&ours)).concerns(&ours, is_ours), Ok(false));
        let deposit = |exchange: Pubkey| Invocation {
            accounts: vec![ours, exchange, ours],
            ..call(PROGRAM_ID, 1, Deposit::DISCRIMINATOR)
        };
        assert_eq!(deposit(ours).concerns(&ours, is_ours), Ok(true));
        assert_eq!(deposit(other).concerns(&ours, is_ours), Ok(false));
        let unknown = |key| Invocation { accounts: vec![key], ..call(PROGRAM_ID, 1, &[1; 8]) };
        // A mention proves nothing: anybody could make our history with it.
        assert_eq!(unknown(ours).concerns(&ours, is_ours), Err(Newer));
        assert_eq!(unknown(other).concerns(&ours, is_ours), Ok(false));
    }

    #[test]
    fn instructions_say_where_they_name_what_they_are_about() {
        assert_eq!(named(Deposit::DISCRIMINATOR), Some(Named { exchange: Some(1), market: None }));
        assert_eq!(named(PlaceOrder::DISCRIMINATOR), Some(Named { exchange: None, market: Some(2) }));
        assert_eq!(named(SetDelegate::DISCRIMINATOR), Some(Named { exchange: None, market: None }));
        assert_eq!((named(&[1; 8]), named(&[])), (None, None));
    }

    #[test]
    fn a_nodes_answer_is_read() {
        let data = bs58::encode(record(&[7])).into_string();
        let (ours, system) = (PROGRAM_ID.to_string(), Pubkey::default().to_string());
        let text = serde_json::json!({
            "slot": 5, "blockTime": 6,
            "transaction": {"message": {"accountKeys": [OTHER.to_string()], "instructions": [
                {"programIdIndex": 2, "accounts": [], "data": "", "stackHeight": 1},
                {"programIdIndex": 1, "accounts": [0, 2], "data": "", "stackHeight": null},
            ]}},
            "meta": {"err": null, "logMessages": [], "loadedAddresses": {"writable": [ours], "readonly": [system]},
                "innerInstructions": [{"index": 1, "instructions": [
                    {"programIdIndex": 1, "accounts": [], "data": data, "stackHeight": 2}]}]},
        });
        let whole: Whole = serde_json::from_value(text.clone()).unwrap();
        let all = whole.invocations().unwrap();
        assert_eq!(told(&all), [(1, 7)]);
        assert_eq!(all[1].accounts, [OTHER, Pubkey::default()]);

        let mut lacking = text.clone();
        lacking["meta"]["innerInstructions"] = serde_json::Value::Null;
        let whole: Whole = serde_json::from_value(lacking).unwrap();
        assert_eq!(whole.invocations(), Err(WireError::Lacking));
        let mut lacking = text.clone();
        lacking["meta"]["innerInstructions"][0]["instructions"][0]["stackHeight"] = serde_json::Value::Null;
        let whole: Whole = serde_json::from_value(lacking).unwrap();
        assert_eq!(whole.invocations(), Err(WireError::Lacking));
        let mut malformed = text;
        malformed["transaction"]["message"]["instructions"][0]["programIdIndex"] = 3.into();
        let whole: Whole = serde_json::from_value(malformed).unwrap();
        assert!(matches!(whole.invocations(), Err(WireError::Malformed(_))));
    }

    #[test]
    fn an_event_that_is_newer_than_this_client_is_kept_as_bytes() {
        let mut data = TAG.to_vec();
        data.extend([3, 0, 1, 2, 3]);
        let all = [call(PROGRAM_ID, 1, &[]), call(PROGRAM_ID, 2, &data)];
        let recorded = recorded(&all);
        assert_eq!((recorded.len(), recorded[0].data, recorded[0].event().is_none()), (1, &[1, 2, 3][..], true));
        assert!(Event::decode(&BookGrown { market: 0, blocks: 7 }.data()).is_some());
    }
}
