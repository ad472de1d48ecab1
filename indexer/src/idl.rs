//! The program's interface description, compiled in: turns any logged event into JSON. So an event that is added
//! to the program needs no code here to be read.

use std::{collections::HashMap, sync::LazyLock};

use serde_json::{Map, Value, json};
use solana_pubkey::Pubkey;

static TEXT: &str = include_str!("../../programs/ballast/idl/ballast.json");

/// The description of the program that this indexer was built with.
pub static IDL: LazyLock<Idl> =
    LazyLock::new(|| Idl::parse(TEXT).expect("the description is generated, and a test reads it"));

/// What of the description is needed.
pub struct Idl {
    events: HashMap<[u8; 8], String>,
    types: HashMap<String, Value>,
}

/// Bytes yet to be read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(u32::from_le_bytes(self.array()?)).ok()
    }
}

fn discriminator(of: &Value) -> Option<[u8; 8]> {
    let bytes: Option<Vec<u8>> =
        of["discriminator"].as_array()?.iter().map(|byte| u8::try_from(byte.as_u64()?).ok()).collect();
    bytes?.try_into().ok()
}

impl Idl {
    fn parse(text: &str) -> Option<Idl> {
        let whole: Value = serde_json::from_str(text).ok()?;
        let named = |of: &Value| of["name"].as_str().map(str::to_string);
        let events = whole["events"].as_array()?.iter().map(|event| Some((discriminator(event)?, named(event)?)));
        let types = whole["types"].as_array()?.iter().map(|of| Some((named(of)?, of["type"].clone())));
        Some(Idl { events: events.collect::<Option<_>>()?, types: types.collect::<Option<_>>()? })
    }

    /// The name and the fields of an event; `None` when it is not known or malformed.
    pub fn event(&self, data: &[u8]) -> Option<(&str, Value)> {
        let (discriminator, fields) = data.split_first_chunk::<8>()?;
        let name = self.events.get(discriminator)?;
        let mut bytes = Bytes(fields);
        let value = self.defined(name, &mut bytes)?;
        bytes.0.is_empty().then_some((name.as_str(), value))
    }

    fn defined(&self, name: &str, bytes: &mut Bytes) -> Option<Value> {
        let of = self.types.get(name)?;
        match of["kind"].as_str()? {
            "struct" => self.fields(of, bytes),
            "enum" => {
                let [variant] = bytes.array()?;
                let variant = of["variants"].as_array()?.get(usize::from(variant))?;
                let name = &variant["name"];
                match variant.get("fields") {
                    None => Some(name.clone()),
                    Some(_) => Some(json!({ name.as_str()?: self.fields(variant, bytes)? })),
                }
            }
            _ => None,
        }
    }

    fn fields(&self, of: &Value, bytes: &mut Bytes) -> Option<Value> {
        let fields = of.get("fields").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if fields.iter().all(|field| field.get("name").is_some()) {
            let mut read = Map::new();
            for field in fields {
                read.insert(field["name"].as_str()?.to_string(), self.value(&field["type"], bytes)?);
            }
            return Some(Value::Object(read));
        }
        fields.iter().map(|field| self.value(field, bytes)).collect::<Option<Vec<_>>>().map(Value::Array)
    }

    /// One value: integers of 64 bits and more as decimal strings, addresses in base58, bytes in hexadecimal.
    fn value(&self, of: &Value, bytes: &mut Bytes) -> Option<Value> {
        if let Some(name) = of.as_str() {
            return Some(match name {
                "bool" => json!(bytes.array::<1>()? == [1]),
                "u8" => json!(u8::from_le_bytes(bytes.array()?)),
                "i8" => json!(i8::from_le_bytes(bytes.array()?)),
                "u16" => json!(u16::from_le_bytes(bytes.array()?)),
                "i16" => json!(i16::from_le_bytes(bytes.array()?)),
                "u32" => json!(u32::from_le_bytes(bytes.array()?)),
                "i32" => json!(i32::from_le_bytes(bytes.array()?)),
                "u64" => json!(u64::from_le_bytes(bytes.array()?).to_string()),
                "i64" => json!(i64::from_le_bytes(bytes.array()?).to_string()),
                "u128" => json!(u128::from_le_bytes(bytes.array()?).to_string()),
                "i128" => json!(i128::from_le_bytes(bytes.array()?).to_string()),
                "pubkey" => json!(Pubkey::new_from_array(bytes.array()?).to_string()),
                "string" => {
                    let length = bytes.length()?;
                    json!(std::str::from_utf8(bytes.take(length)?).ok()?)
                }
                "bytes" => {
                    let length = bytes.length()?;
                    json!(hex(bytes.take(length)?))
                }
                _ => return None,
            });
        }
        if let Some(name) = of.get("defined") {
            return self.defined(name["name"].as_str()?, bytes);
        }
        if let Some(of) = of.get("option") {
            return match bytes.array()? {
                [0] => Some(Value::Null),
                [1] => self.value(of, bytes),
                _ => None,
            };
        }
        let (of, count) = match (of.get("vec"), of.get("array")) {
            (Some(of), _) => (of, bytes.length()?),
            (None, Some(array)) => (&array[0], usize::try_from(array[1].as_u64()?).ok()?),
            (None, None) => return None,
        };
        // Every value has a byte at least, so a made-up count cannot make this allocate more than there is.
        if count > bytes.0.len() {
            return None;
        }
        (0..count).map(|_| self.value(of, bytes)).collect::<Option<Vec<_>>>().map(Value::Array)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use anchor_lang::{Discriminator, Event as _};
    use ballast_client::ballast::events::{Cause, Deleveraged, LadderExecuted, MakerFill, MarketCreated, Traded};

    use super::*;

    #[test]
    fn events_become_json_with_all_their_fields() {
        let key = Pubkey::new_from_array([7; 32]);
        let fill = MakerFill { seat: 3, order_id: u128::MAX, price: u64::MAX, lots: 5 };
        let traded = Traded {
            market: 2,
            taker: key,
            bought: true,
            cause: Cause::Ladder,
            wanted: 6,
            limit: 7,
            client_id: 8,
            fee: 9,
            fills: vec![fill],
            removed: vec![],
        };
        let (name, value) = IDL.event(&traded.data()).unwrap();
        assert_eq!(name, "Traded");
        let fill = json!({"seat": 3, "order_id": u128::MAX.to_string(), "price": u64::MAX.to_string(), "lots": "5"});
        let all = json!({"market": 2, "taker": key.to_string(), "bought": true, "cause": "Ladder", "wanted": "6",
            "limit": "7", "client_id": "8", "fee": "9", "fills": [fill], "removed": []});
        assert_eq!(value, all);
    }

    #[test]
    fn options_arrays_and_bytes_are_read() {
        let key = Pubkey::new_from_array([7; 32]);
        let created = MarketCreated { market: key, index: 1, symbol: *b"SOL\0\0\0\0\0\0\0\0\0\0\0\0\0" };
        assert_eq!(IDL.event(&created.data()).unwrap().1["symbol"][1], 79);
        let mut ladder = LadderExecuted {
            market: 0,
            account: key,
            caller: key,
            ratio_bps: -1,
            rung: None,
            lots: 0,
            quote: 0,
            left_ppm: 0,
        };
        assert_eq!(IDL.event(&ladder.data()).unwrap().1["rung"], Value::Null);
        ladder.rung = Some(2);
        assert_eq!(IDL.event(&ladder.data()).unwrap().1["rung"], 2);
        let mut short = ladder.data();
        short.pop();
        assert_eq!(IDL.event(&short), None);
        assert_eq!(IDL.event(&[ladder.data(), vec![0]].concat()), None);
        assert!(!Deleveraged::DISCRIMINATOR.is_empty());
    }
}
