//! Price accounts as Pyth's programs write them, byte for byte.
//!
//! Two formats are in use. `PriceUpdateV2` is a Borsh structure behind an Anchor discriminator, owned by the receiver
//! program (<https://docs.rs/pyth-solana-receiver-sdk>). The older one is a C structure, owned by the oracle program
//! (<https://docs.rs/pyth-sdk-solana>). The functions here are pure; the tests read the bytes back with both SDKs.

use solana_pubkey::Pubkey;

/// The receiver program that owns `PriceUpdateV2` accounts, as deployed before August 2026.
pub const RECEIVER_PROGRAM: Pubkey = Pubkey::from_str_const("rec5EKMGg6MxZYaMdyBfgwp4d5rB9T1VQH5pJv5LtFJ");
/// The receiver program of the set deployed in August 2026.
pub const RECEIVER_PROGRAM_2026: Pubkey = Pubkey::from_str_const("rec2HHDDnjLfj4kE7VyEtFA1HPGQLK33259532cRyHp");
/// The program that keeps one `PriceUpdateV2` account per feed up to date, belonging to [`RECEIVER_PROGRAM`].
pub const PUSH_ORACLE_PROGRAM: Pubkey = Pubkey::from_str_const("pythWSnswVUd12oZpeFP8e9CVaEqJg25g1Vtc2biRsT");
/// The push oracle belonging to [`RECEIVER_PROGRAM_2026`].
pub const PUSH_ORACLE_PROGRAM_2026: Pubkey = Pubkey::from_str_const("pyt2F414BA6dPttK6RddPZUdHfapoBN24GL5wbrPCou");
/// The oracle program that owns price accounts of the older format on mainnet.
pub const LEGACY_PROGRAM: Pubkey = Pubkey::from_str_const("FsJ3A3u2vn5cTVofAhvy6y5kwABJAqYWpe4975bi2epH");

/// Length of a `PriceUpdateV2` account in bytes. A fully verified update leaves the last one unused.
pub const PRICE_UPDATE_LEN: usize = 134;
/// Length of a price account of the older format in bytes.
pub const LEGACY_PRICE_LEN: usize = 3_312;

/// The first eight bytes of a `PriceUpdateV2` account: of SHA-256 of `account:PriceUpdateV2`.
const PRICE_UPDATE_DISCRIMINATOR: [u8; 8] = [0x22, 0xf1, 0x23, 0x63, 0x9d, 0x7e, 0xf4, 0xcd];

/// How much of a price update's signatures the receiver program checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// Two thirds of the guardians: what a program should demand.
    Full,
    /// Only so many guardians.
    Partial {
        /// How many signatures.
        signatures: u8,
    },
}

/// The state of a price account of the older format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegacyStatus {
    /// Not updating, for an unknown reason.
    Unknown,
    /// Updating as expected.
    Trading,
    /// Halted.
    Halted,
    /// In an auction.
    Auction,
}

/// One observation of a price. A price of 1.5 dollars is `price` 150 with `exponent` −2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PythPrice {
    /// The feed, in Pyth's own numbering.
    pub feed_id: [u8; 32],
    /// Dollars × 10^−exponent.
    pub price: i64,
    /// Half the width of the confidence interval, in the price's unit.
    pub conf: u64,
    /// Power of ten that the numbers are in; −8 for every crypto feed in use.
    pub exponent: i32,
    /// When the price was observed, in unix seconds.
    pub publish_time: i64,
    /// When the one before it was, in unix seconds.
    pub prev_publish_time: i64,
    /// Exponentially weighted average of the price over about an hour, in the price's unit.
    pub ema_price: i64,
    /// The average of `conf`, likewise.
    pub ema_conf: u64,
    /// The slot in which the account was written.
    pub posted_slot: u64,
}

impl PythPrice {
    /// An observation one second after the one before it, whose averages equal the price.
    pub fn new(feed_id: [u8; 32], price: i64, conf: u64, exponent: i32, publish_time: i64, posted_slot: u64) -> Self {
        Self {
            feed_id,
            price,
            conf,
            exponent,
            publish_time,
            prev_publish_time: publish_time - 1,
            ema_price: price,
            ema_conf: conf,
            posted_slot,
        }
    }

    /// The data of a `PriceUpdateV2` account.
    pub fn price_update(&self, write_authority: &Pubkey, verification: Verification) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(PRICE_UPDATE_LEN);
        bytes.extend_from_slice(&PRICE_UPDATE_DISCRIMINATOR);
        bytes.extend_from_slice(write_authority.as_ref());
        match verification {
            Verification::Partial { signatures } => bytes.extend_from_slice(&[0, signatures]),
            Verification::Full => bytes.push(1),
        }
        bytes.extend_from_slice(&self.feed_id);
        bytes.extend_from_slice(&self.price.to_le_bytes());
        bytes.extend_from_slice(&self.conf.to_le_bytes());
        bytes.extend_from_slice(&self.exponent.to_le_bytes());
        bytes.extend_from_slice(&self.publish_time.to_le_bytes());
        bytes.extend_from_slice(&self.prev_publish_time.to_le_bytes());
        bytes.extend_from_slice(&self.ema_price.to_le_bytes());
        bytes.extend_from_slice(&self.ema_conf.to_le_bytes());
        bytes.extend_from_slice(&self.posted_slot.to_le_bytes());
        bytes.resize(PRICE_UPDATE_LEN, 0);
        bytes
    }

    /// The data of a price account of the older format. The previous price, which readers fall back to when the status
    /// is not `Trading`, equals the current one.
    pub fn legacy_price(&self, product: &Pubkey, status: LegacyStatus) -> Vec<u8> {
        let mut bytes = vec![0; LEGACY_PRICE_LEN];
        let mut put = |offset: usize, field: &[u8]| bytes[offset..offset + field.len()].copy_from_slice(field);
        put(0, &0xa1b2_c3d4_u32.to_le_bytes()); // magic
        put(4, &2_u32.to_le_bytes()); // version
        put(8, &3_u32.to_le_bytes()); // account type: price
        put(12, &u32::try_from(LEGACY_PRICE_LEN).expect("a few kilobytes").to_le_bytes());
        put(16, &[1]); // price type: price
        put(20, &self.exponent.to_le_bytes());
        put(32, &self.posted_slot.to_le_bytes()); // last slot
        put(40, &self.posted_slot.to_le_bytes()); // valid slot
        put(48, &self.ema_price.to_le_bytes());
        put(72, &self.ema_conf.to_le_bytes());
        put(96, &self.publish_time.to_le_bytes());
        put(112, product.as_ref());
        put(176, &self.posted_slot.saturating_sub(1).to_le_bytes()); // previous slot
        put(184, &self.price.to_le_bytes()); // previous price
        put(192, &self.conf.to_le_bytes()); // previous confidence
        put(200, &self.prev_publish_time.to_le_bytes());
        put(208, &self.price.to_le_bytes());
        put(216, &self.conf.to_le_bytes());
        let status = match status {
            LegacyStatus::Unknown => 0,
            LegacyStatus::Trading => 1,
            LegacyStatus::Halted => 2,
            LegacyStatus::Auction => 3,
        };
        put(224, &[status]);
        put(232, &self.posted_slot.to_le_bytes());
        bytes
    }
}

/// Where the push oracle keeps a feed. `shard` numbers independent copies; 0 is the one that Pyth pays for.
pub fn price_feed_address(push_oracle: &Pubkey, shard: u16, feed_id: &[u8; 32]) -> Pubkey {
    Pubkey::find_program_address(&[&shard.to_le_bytes(), feed_id], push_oracle).0
}

#[cfg(test)]
mod tests {
    use anchor_lang::AccountDeserialize;
    use pyth_sdk_solana::state::{PriceStatus, SolanaPriceAccount, load_price_account};
    use pyth_solana_receiver_sdk::price_update::{PriceUpdateV2, VerificationLevel};

    use super::*;

    const OBSERVED: PythPrice = PythPrice {
        feed_id: [0xe6; 32],
        price: 11_668_201_000_000,
        conf: 4_321_000_000,
        exponent: -8,
        publish_time: 1_760_126_400,
        prev_publish_time: 1_760_126_399,
        ema_price: 11_650_000_000_000,
        ema_conf: 5_000_000_000,
        posted_slot: 77,
    };

    #[test]
    fn the_receiver_sdk_reads_a_price_update() {
        let authority = Pubkey::new_from_array([3; 32]);
        let data = OBSERVED.price_update(&authority, Verification::Full);
        assert_eq!(data.len(), PriceUpdateV2::LEN);

        let update = PriceUpdateV2::try_deserialize(&mut data.as_slice()).unwrap();
        assert_eq!(update.write_authority.to_bytes(), authority.to_bytes());
        assert_eq!(update.verification_level, VerificationLevel::Full);
        assert_eq!(update.posted_slot, OBSERVED.posted_slot);
        let message = update.price_message;
        assert_eq!(message.feed_id, OBSERVED.feed_id);
        assert_eq!((message.price, message.conf, message.exponent), (OBSERVED.price, OBSERVED.conf, OBSERVED.exponent));
        assert_eq!(message.publish_time, OBSERVED.publish_time);
        assert_eq!(message.prev_publish_time, OBSERVED.prev_publish_time);
        assert_eq!((message.ema_price, message.ema_conf), (OBSERVED.ema_price, OBSERVED.ema_conf));
    }

    #[test]
    fn the_receiver_sdk_sees_a_partly_verified_update_for_what_it_is() {
        let data = OBSERVED.price_update(&Pubkey::default(), Verification::Partial { signatures: 5 });
        assert_eq!(data.len(), PriceUpdateV2::LEN);
        let update = PriceUpdateV2::try_deserialize(&mut data.as_slice()).unwrap();
        assert_eq!(update.verification_level, VerificationLevel::Partial { num_signatures: 5 });
        assert_eq!(update.posted_slot, OBSERVED.posted_slot);
    }

    #[test]
    fn the_older_sdk_reads_a_price_account() {
        let product = Pubkey::new_from_array([4; 32]);
        let data = aligned(&OBSERVED.legacy_price(&product, LegacyStatus::Trading));
        let account: &SolanaPriceAccount = load_price_account(bytes_of(&data)).unwrap();
        assert_eq!(size_of::<SolanaPriceAccount>(), LEGACY_PRICE_LEN);
        assert_eq!(usize::try_from(account.size).unwrap(), LEGACY_PRICE_LEN);
        assert_eq!(account.prod.to_bytes(), product.to_bytes());
        assert_eq!(account.expo, OBSERVED.exponent);
        assert_eq!(account.agg.status, PriceStatus::Trading);
        assert_eq!((account.agg.price, account.agg.conf), (OBSERVED.price, OBSERVED.conf));
        assert_eq!(account.agg.pub_slot, OBSERVED.posted_slot);
        assert_eq!((account.last_slot, account.valid_slot), (OBSERVED.posted_slot, OBSERVED.posted_slot));
        assert_eq!(account.timestamp, OBSERVED.publish_time);
        assert_eq!((account.prev_price, account.prev_conf), (OBSERVED.price, OBSERVED.conf));
        assert_eq!((account.prev_slot, account.prev_timestamp), (76, OBSERVED.prev_publish_time));
        assert_eq!((account.ema_price.val, account.ema_conf.val), (OBSERVED.ema_price, 5_000_000_000));
    }

    #[test]
    fn the_older_sdk_sees_a_halted_price_for_what_it_is() {
        let data = aligned(&OBSERVED.legacy_price(&Pubkey::default(), LegacyStatus::Halted));
        let account: &SolanaPriceAccount = load_price_account(bytes_of(&data)).unwrap();
        assert_eq!(account.agg.status, PriceStatus::Halted);
        assert_eq!(account.get_publish_time(), OBSERVED.prev_publish_time);
    }

    #[test]
    fn the_program_addresses_are_those_of_the_sdk() {
        assert_eq!(RECEIVER_PROGRAM.to_bytes(), pyth_solana_receiver_sdk::ID.to_bytes());
        assert_eq!(PUSH_ORACLE_PROGRAM.to_bytes(), pyth_solana_receiver_sdk::PYTH_PUSH_ORACLE_ID.to_bytes());
    }

    /// On chain, account data starts at a multiple of eight, and the older SDK relies on it.
    fn aligned(bytes: &[u8]) -> Vec<u64> {
        bytes.chunks_exact(8).map(|chunk| u64::from_ne_bytes(chunk.try_into().unwrap())).collect()
    }

    fn bytes_of(words: &[u64]) -> &[u8] {
        bytemuck::cast_slice(words)
    }
}
