//! Values as operators write them: dollars and SOL with a decimal point, addresses in base 58. Amounts are integers
//! throughout.

use std::str::FromStr;

use serde::Deserialize;
use solana_pubkey::Pubkey;

use crate::decide::profit::Least;

/// An address in base 58.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Address(pub Pubkey);

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.trim().parse().map(Address).map_err(|error| format!("`{text}` is not an address: {error}"))
    }
}

impl TryFrom<String> for Address {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// Dollars, to the atom (10^-6). In a file: a whole number, or text with a decimal point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Dollars(u64);

/// SOL, to the lamport (10^-9). In a file: a whole number, or text with a decimal point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Sol(u64);

/// A least profit: dollars, negative for a loss that is borne, or `any`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Profit(pub Least);

impl FromStr for Profit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "any" {
            return Ok(Profit(Least::Any));
        }
        let (sign, amount) = text.trim().strip_prefix('-').map_or((1, text), |amount| (-1, amount));
        let atoms = i64::try_from(decimal(amount, 6)?).map_err(|_| format!("`{text}` is too much"))?;
        Ok(Profit(Least::Atoms(sign * atoms)))
    }
}

impl TryFrom<Written> for Profit {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        written.text().parse()
    }
}

impl Dollars {
    /// In atoms.
    pub fn atoms(self) -> u64 {
        self.0
    }
}

impl Sol {
    /// In lamports.
    pub fn lamports(self) -> u64 {
        self.0
    }
}

impl FromStr for Dollars {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        decimal(text, 6).map(Dollars)
    }
}

impl FromStr for Sol {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        decimal(text, 9).map(Sol)
    }
}

/// An amount in a file.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Whole(u64),
    Text(String),
}

impl Written {
    fn text(self) -> String {
        match self {
            Written::Whole(number) => number.to_string(),
            Written::Text(text) => text,
        }
    }
}

impl TryFrom<Written> for Dollars {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        written.text().parse()
    }
}

impl TryFrom<Written> for Sol {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        written.text().parse()
    }
}

/// A decimal number times 10^`places`, exactly.
fn decimal(text: &str, places: usize) -> Result<u64, String> {
    let malformed = || format!("`{text}` is not an amount with at most {places} decimal places");
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || fraction.len() > places || !digits(whole) || !digits(fraction) {
        return Err(malformed());
    }
    format!("{whole}{fraction:0<places$}").parse().map_err(|_| malformed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        assert_eq!("1.5".parse(), Ok(Dollars(1_500_000)));
        assert_eq!("0.000001".parse(), Ok(Dollars(1)));
        assert_eq!(" 20 ".parse(), Ok(Sol(20_000_000_000)));
        for wrong in ["", ".5", "1.0000001", "-1", "1e3", "1.2.3", "99999999999999999999"] {
            assert!(wrong.parse::<Dollars>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_least_profit_is_an_amount_a_loss_or_any() {
        assert_eq!("0.01".parse(), Ok(Profit(Least::Atoms(10_000))));
        assert_eq!("-0.01".parse(), Ok(Profit(Least::Atoms(-10_000))));
        assert_eq!("any".parse(), Ok(Profit(Least::Any)));
        for wrong in ["--1", "-", "all", "18446744073709"] {
            assert!(wrong.parse::<Profit>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn files_hold_whole_numbers_or_text() {
        #[derive(Deserialize)]
        struct File {
            a: Dollars,
            b: Sol,
            c: Address,
        }
        let key = Pubkey::new_from_array([5; 32]);
        let file: File = toml::from_str(&format!("a = 3\nb = \"0.25\"\nc = \"{key}\"")).unwrap();
        assert_eq!((file.a.atoms(), file.b.lamports(), file.c), (3_000_000, 250_000_000, Address(key)));
        assert!(toml::from_str::<File>("a = 0.1\nb = 1").is_err());
    }
}
