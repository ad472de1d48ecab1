//! A small exchange with something of everything in it, whose accounts are kept in `tests/fixtures/v<version>/` as the
//! program of that version wrote them: so that a later version can prove that it migrates them.
//!
//! The accounts are written by `cargo run -p ballast-tests --example fixture`, once, before a layout changes.

use std::path::{Path, PathBuf};

use ballast_client::{
    instructions::{self, limit_order, post_only_order},
    units::{Lots, Price, Side},
};
use ballast_risk::health::Stage;
use solana_signer::Signer;

use crate::harness::{BTC, DOLLAR, Expect, MarketSpec, Trader, World, fresh_keypair};

/// The second market of the fixture: Solana, whose oracle is a legacy price account.
pub const LEGACY: u16 = 1;

/// A tenth of a dollar per lot.
const DIME: u64 = DOLLAR / 10;
/// A cent per lot.
const CENT: u64 = DOLLAR / 100;

/// Where the accounts of a version are.
pub fn directory(version: u8) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/v{version}"))
}

/// Plays the story that the fixture is the end of.
///
/// # Panics
/// Wherever the exchange does not do what it should.
pub fn play() -> World {
    let small = |spec: MarketSpec, blocks| MarketSpec { blocks, cells: 128, ..spec };
    let mut world = World::new(&[small(MarketSpec::btc(), 64), small(MarketSpec::sol(), 96)]);
    world.fund_insurance(500 * DOLLAR);
    deleveraged_cells(&mut world);
    let kit = liquidated_account(&mut world);
    cross_margin(&mut world, kit);
    full_book(&mut world);
    // The oracle moves away from the books: funding accrues, before fills wait and while they do.
    world.move_price(BTC, 8 * DOLLAR + 50 * CENT);
    world.move_price(LEGACY, 20 * DOLLAR + 2 * DIME);
    world.advance(600);
    waiting_fills(&mut world);
    roles(&mut world, kit);
    world.advance(300);
    world.advance(5);
    world
}

/// A bankrupt long is closed against the shorts, who have not been touched since: their cells know what they do not.
fn deleveraged_cells(world: &mut World) {
    let (dee, eve) = (world.trader(4_000 * DOLLAR), world.trader(50_000 * DOLLAR));
    let (cal, fay) = (world.trader(5_500 * DOLLAR), world.trader(50_000 * DOLLAR));
    let kit = world.trader(1_000 * DOLLAR);
    let price = 10 * DOLLAR;
    world.ask(dee, BTC, 6_000, price);
    world.ask(eve, BTC, 8_000, price);
    world.buy(fay, BTC, 4_000, price).succeeds();
    world.buy(cal, BTC, 10_000, price).succeeds();
    for trader in [dee, eve] {
        world.settle(kit, trader, BTC).succeeds();
    }
    world.move_price(BTC, 9 * DOLLAR);
    world.deleverage(kit, cal, BTC, 100).succeeds();
    assert_eq!((world.position(dee, BTC), world.position(eve, BTC)), (0, -4_000));
    assert_eq!(world.slot(eve, BTC).lots, -8_000, "the member does not know yet");
}

/// A long that was partly liquidated, and one for whom the book had nothing: his takeover's clock runs. Returns the
/// liquidator.
fn liquidated_account(world: &mut World) -> Trader {
    let (ann, abe) = (world.trader(600 * DOLLAR), world.trader(600 * DOLLAR));
    let (bob, kit) = (world.trader(100_000 * DOLLAR), world.trader(50_000 * DOLLAR));
    for long in [ann, abe] {
        world.trade(BTC, long, bob, 1_000, 9 * DOLLAR);
    }
    world.bid(bob, BTC, 5_000, 8 * DOLLAR + 59 * CENT);
    world.move_price(BTC, 8 * DOLLAR + 60 * CENT);
    assert_eq!((world.stage(ann), world.stage(abe)), (Stage::Partial, Stage::Partial));
    world.liquidate(kit, ann, BTC).succeeds();
    assert!(world.position(ann, BTC) < 1_000);
    world.cancel_all(bob, BTC, None, 10).succeeds();
    world.settle(kit, bob, BTC).succeeds();
    world.liquidate(kit, abe, BTC).succeeds();
    assert!(world.margin_account(abe).progress().partial_at > 0);
    kit
}

/// An account with positions in both markets, and one with a single position in the legacy market.
fn cross_margin(world: &mut World, kit: Trader) {
    let (gus, hal) = (world.trader(20_000 * DOLLAR), world.trader(5_000 * DOLLAR));
    let second = world.another_account(gus, 7_000 * DOLLAR);
    world.trade(LEGACY, gus, kit, 700, 20 * DOLLAR);
    world.trade(BTC, kit, gus, 900, 8 * DOLLAR + 60 * CENT);
    world.trade(LEGACY, second, hal, 150, 20 * DOLLAR);
    world.trade(LEGACY, hal, second, 40, 19 * DOLLAR + 9 * DIME);
    world.rerank(kit, gus, LEGACY).ok();
}

/// Orders on many levels, several at one price, some that expire, and freed blocks between them.
fn full_book(world: &mut World) {
    let (ida, jon) = (world.trader(30_000 * DOLLAR), world.trader(30_000 * DOLLAR));
    let mark = 8 * DOLLAR + 60 * CENT;
    let mut ids = Vec::new();
    for step in 1..=28 {
        // Every third price twice over, so that some levels are rings.
        let distance = (step - step % 3) * 2 * CENT + CENT;
        ids.push((ida, world.bid(ida, BTC, 10 + step, mark - distance)));
        ids.push((jon, world.ask(jon, BTC, 20 + step, mark + distance)));
    }
    for (trader, id) in ids.into_iter().step_by(5) {
        world.cancel(trader, BTC, id).succeeds();
    }
    for client_id in 1..=3 {
        let order = post_only_order(Side::Long, Price(mark - 30 * CENT), Lots(5));
        let expires_at = world.now + 1_000 + i64::try_from(client_id).expect("a small number");
        let order = ballast_client::ballast::OrderArgs { client_id, expires_at, ..order };
        world.place(jon, BTC, order).succeeds();
    }
    for step in 1..=9 {
        world.bid(jon, LEGACY, 30 + step, 20 * DOLLAR - step * DIME);
        world.ask(ida, LEGACY, 40 + step, 20 * DOLLAR + step * DIME);
    }
}

/// Makers whose fills wait in their seats, on both sides of both markets.
fn waiting_fills(world: &mut World) {
    let (leo, mia) = (world.trader(20_000 * DOLLAR), world.trader(20_000 * DOLLAR));
    let mark = 8 * DOLLAR + 60 * CENT;
    world.buy(leo, BTC, 55, mark + 20 * CENT).succeeds();
    world.sell(mia, BTC, 25, mark - 20 * CENT).succeeds();
    let limit = limit_order(Side::Long, Price(20 * DOLLAR + DIME), Lots(60));
    world.place(mia, LEGACY, limit).succeeds();
    world.sell(leo, LEGACY, 77, 19 * DOLLAR).succeeds();
    for market in [BTC, LEGACY] {
        let snapshot = world.snapshot();
        let book = snapshot.market(market).expect("the market").book.clone();
        let waiting = book.book().expect("a book").seats().filter(|(_, seat)| seat.pending_base != 0).count();
        assert!(waiting >= 2, "fills wait in market {market}");
    }
}

/// A delegate, an offered admin role, an account with nothing in it, a market that only reduces for a while.
fn roles(world: &mut World, kit: Trader) {
    let empty = world.trader(0);
    world.set_delegate(empty, &fresh_keypair().pubkey()).succeeds();
    world.set_delegate(kit, &fresh_keypair().pubkey()).succeeds();
    let admin = world.admin.insecure_clone();
    let next = fresh_keypair().pubkey();
    let offer = instructions::propose_admin(&admin.pubkey(), &world.keys.exchange, &next);
    world.send(&[offer], &[&admin]).succeeds();
}
