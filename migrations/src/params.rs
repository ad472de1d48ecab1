//! What differs between two sets of parameters, field by field.

use ballast::state::MarketParams;
use serde_json::Value;

/// A parameter that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its name; tiers are numbered from 0.
    pub name: String,
    /// On chain.
    pub from: String,
    /// In the configuration.
    pub to: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}  {} -> {}", self.name, self.from, self.to)
    }
}

/// The parameters that differ, in no particular order.
pub fn differences(from: &MarketParams, to: &MarketParams) -> Vec<Difference> {
    let value = |params: &MarketParams| serde_json::to_value(params).expect("numbers and names");
    let mut found = Vec::new();
    compare("", &value(from), &value(to), &mut found);
    found
}

fn compare(path: &str, from: &Value, to: &Value, found: &mut Vec<Difference>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match (from, to) {
        (Value::Object(from), Value::Object(to)) => {
            for (name, from) in from {
                compare(&below(name), from, &to[name], found);
            }
        }
        (Value::Array(from), Value::Array(to)) => {
            for (number, (from, to)) in from.iter().zip(to).enumerate() {
                compare(&below(&number.to_string()), from, to, found);
            }
        }
        _ if from == to => {}
        _ => found.push(Difference { name: path.to_owned(), from: from.to_string(), to: to.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ExchangeConfig;

    #[test]
    fn differences_are_named_with_both_values() {
        let config = ExchangeConfig::parse(include_str!("../localnet.toml"), "localnet.toml").unwrap();
        let before = config.markets[0].params;
        let mut after = before;
        assert_eq!(differences(&before, &after), []);
        after.band_bps = 400;
        after.tiers[1].initial_bps = 450;
        let mut shown: Vec<_> = differences(&before, &after).iter().map(Difference::to_string).collect();
        shown.sort();
        assert_eq!(shown, ["band_bps  500 -> 400", "tiers.1.initial_bps  400 -> 450"]);
    }
}
