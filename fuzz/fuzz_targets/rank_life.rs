//! Lives of a ranking index beside the model that stores every member in exact arithmetic (crates/rank/tests/model).
#![no_main]

#[path = "../../crates/rank/tests/model/mod.rs"]
mod model;

use ballast_units::Side;
use libfuzzer_sys::{
    arbitrary::{Arbitrary, Result, Unstructured},
    fuzz_target,
};
use model::life::{Step, live};

/// A life that the fuzzer wrote.
#[derive(Debug)]
struct Life {
    pool: u32,
    around: u64,
    narrow: bool,
    steps: Vec<Step>,
}

impl<'a> Arbitrary<'a> for Life {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let pool = bytes.int_in_range(2..=200)?;
        let around = *bytes.choose(&[5, 1_000, 1_000_000, 1 << 30, 1 << 38])?;
        let narrow = bytes.arbitrary()?;
        let mut steps = Vec::new();
        while !bytes.is_empty() && steps.len() < 80 {
            steps.push(step(bytes)?);
        }
        Ok(Life { pool, around, narrow, steps })
    }
}

fn step(bytes: &mut Unstructured) -> Result<Step> {
    let side = if bytes.arbitrary()? { Side::Long } else { Side::Short };
    Ok(match bytes.int_in_range(0u8..=9)? {
        0..=2 => {
            let bits = bytes.int_in_range(0u32..=36)?;
            let lots = (bytes.arbitrary::<u64>()? & ((1 << bits) - 1)).max(1);
            Step::Join { side, entry: bytes.arbitrary()?, leverage: bytes.arbitrary()?, lots }
        }
        3 => Step::Leave { which: bytes.arbitrary()? },
        4 => Step::Price { mark: bytes.arbitrary()? },
        5 => Step::Funding { rise: bytes.arbitrary()? },
        6 => {
            let cells = if bytes.arbitrary()? { Some(bytes.int_in_range(0..=5)?) } else { None };
            Step::Deleverage { side, share: bytes.arbitrary()?, price: bytes.arbitrary()?, cells }
        }
        7 => Step::WearOut { side },
        8 => Step::Recentre { side },
        _ => Step::Sweep { side },
    })
}

fuzz_target!(|life: Life| {
    live((life.pool, life.around, life.steps), life.narrow);
});
