//! The exchange of [`crate::testing`] as a snapshot.

use super::*;
use crate::testing::{BOOK, EXCHANGE, LONG, MAKER, MARKET, RANKS, SHORT, World, account_data, market};

#[test]
fn all_accounts_of_the_exchange_are_found() {
    let snapshot = World::new().snapshot().unwrap();
    assert_eq!(snapshot.account_count(), 3);
    assert_eq!(snapshot.market_keys(0), Some(MarketKeys { index: 0, market: MARKET, book: BOOK, ranks: RANKS }));
    assert_eq!(snapshot.market_keys(1), None);
    assert_eq!(snapshot.keys, ExchangeKeys::new(EXCHANGE));
    assert_eq!(snapshot.seat_account(0, 1), Some(MAKER));
}

#[test]
fn a_missing_part_is_named() {
    let mut world = World::new();
    world.accounts.remove(&RANKS);
    assert_eq!(world.snapshot().err(), Some(SnapshotError::NoSlab(0, RANKS)));
    let mut world = World::new();
    world.accounts.remove(&EXCHANGE);
    assert_eq!(world.snapshot().err(), Some(SnapshotError::NoExchange(EXCHANGE)));
    let mut world = World::new();
    world.data(SHORT)[8] = 3;
    assert_eq!(world.snapshot().err(), Some(SnapshotError::Decode(SHORT, DecodeError::Version(3))));
    let mut world = World::new();
    let copy = world.accounts[&MARKET].clone();
    world.accounts.insert(Pubkey::new_from_array([5; 32]), copy);
    assert_eq!(world.snapshot().err(), Some(SnapshotError::SameIndex(0)));
}

#[test]
fn updates_are_taken_over_one_by_one() {
    let mut world = World::new();
    let mut snapshot = world.snapshot().unwrap();
    world.change(LONG, |account: &mut MarginAccount| account.collateral = 7);
    world.change(MARKET, |market: &mut Market| market.pool = 8);
    let apply = |snapshot: &mut Snapshot, key: Pubkey| snapshot.apply(&key, &world.accounts[&key].data);
    assert_eq!(apply(&mut snapshot, LONG), Ok(Applied::MarginAccount));
    assert_eq!(apply(&mut snapshot, MARKET), Ok(Applied::Market(0)));
    assert_eq!(apply(&mut snapshot, BOOK), Ok(Applied::Book(0)));
    assert_eq!(apply(&mut snapshot, RANKS), Ok(Applied::Ranks(0)));
    assert_eq!(apply(&mut snapshot, EXCHANGE), Ok(Applied::Exchange));
    assert_eq!(snapshot.account(&LONG).unwrap().collateral, 7);
    assert_eq!(snapshot.market(0).unwrap().market.pool, 8);
    assert_eq!(snapshot.apply(&LONG, &[]), Ok(Applied::Closed));
    assert_eq!(snapshot.apply(&LONG, &[]), Ok(Applied::Ignored));
    assert!(snapshot.account(&LONG).is_none());
}

#[test]
fn updates_of_others_are_ignored_and_broken_ones_refused() {
    let world = World::new();
    let mut snapshot = world.snapshot().unwrap();
    let elsewhere = Pubkey::new_from_array([5; 32]);
    assert_eq!(snapshot.apply(&elsewhere, &account_data(&market(0))), Ok(Applied::Ignored));
    assert_eq!(snapshot.apply(&elsewhere, world.accounts[&BOOK].data.as_slice()), Ok(Applied::Ignored));
    assert_eq!(snapshot.apply(&elsewhere, &[1, 2, 3]), Ok(Applied::Ignored));
    let swapped = snapshot.apply(&BOOK, &world.accounts[&RANKS].data);
    assert_eq!(swapped, Err(DecodeError::Kind(Kind::Book)));
    assert!(snapshot.market(0).unwrap().book.book().is_ok());
    let mut broken = world.accounts[&LONG].data.clone();
    broken.pop();
    assert!(snapshot.apply(&LONG, &broken).is_err());
    assert!(snapshot.account(&LONG).is_some());
}

#[test]
fn exchanges_are_discovered() {
    let accounts: Vec<_> = World::new().accounts.into_iter().collect();
    assert_eq!(Snapshot::exchanges(&accounts), [EXCHANGE]);
}
