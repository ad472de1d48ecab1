//! What the app is tested against: a small exchange's accounts as bytes, with what the Rust client says about them and what
//! the program itself did with orders. Written anew at every run, so that the page is compared with the present program;
//! `npm test` in `app/` reads it.

use std::{fs, path::Path};

use ballast_client::{
    ballast::{logic::Marks, state::MarginAccount},
    instructions::market_order,
    shock::{self, Shock},
    snapshot::Snapshot,
    units::{Lots, Price, Side},
};
use ballast_tests::{
    fixture,
    harness::{Lite, Trader, World},
};
use serde_json::{Value, json};
use solana_account::ReadableAccount;
use solana_pubkey::Pubkey;

/// Lots that are bought and sold, small and large for the fixture's accounts.
const SIZES: [u64; 3] = [10, 150, 2_500];

#[test]
fn the_accounts_and_orders_of_a_small_exchange_are_written_for_the_page() {
    let mut world = fixture::play();
    let snapshot = world.snapshot();
    let traders: Vec<Trader> = world.traders().collect();
    let accounts: Vec<Value> = traders.iter().map(|trader| account(&snapshot, &world.margin(*trader))).collect();
    let mut orders = Vec::new();
    for trader in traders {
        for market in 0..u16::try_from(world.markets.len()).expect("a few") {
            for side in Side::BOTH {
                orders.extend(SIZES.map(|lots| order(&mut world, trader, market, side, lots)));
            }
        }
    }
    let carried_out = orders.iter().filter(|order| order["after"].is_object()).count();
    let for_margin = orders.iter().filter(|order| order["refused"] == "InsufficientMargin").count();
    assert!(
        carried_out > 20 && for_margin > 5,
        "{carried_out} orders carried out, {for_margin} refused for want of margin"
    );

    let shocks: Vec<Value> = [-300_000, -150_000, 0, 250_000].map(|ppm| shock(&snapshot, ppm, world.now)).into();
    let raw: Vec<Value> = raw_accounts(&mut world);
    let exchange = world.keys.exchange.to_string();
    let all = json!({
        "exchange": exchange, "now": world.now, "raw": raw, "accounts": accounts, "orders": orders, "shocks": shocks,
    });
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/app");
    fs::create_dir_all(&folder).expect("a folder for the fixture");
    fs::write(folder.join("fixture.json"), all.to_string()).expect("the fixture is written");
}

/// What a move of all markets would do.
fn shock(snapshot: &Snapshot, ppm: i64, now: i64) -> Value {
    const VAULT: u64 = 1_000_000_000;
    let view = snapshot.view().expect("the slabs open");
    let outcome = shock::shock(&view, &Shock::of_all(&view, ppm, VAULT, now)).expect("it can be computed");
    let markets = outcome.markets.iter().map(|market| {
        json!({
            "shocked": market.shocked.0.to_string(),
            "end": market.end.0.to_string(),
            "bookQuote": market.book_quote.to_string(),
            "takeoverQuote": market.takeover_quote.to_string(),
            "badDebt": market.bad_debt.to_string(),
            "insured": market.insured.to_string(),
            "forgone": market.forgone.to_string(),
        })
    });
    json!({
        "ppm": ppm.to_string(),
        "vault": VAULT.to_string(),
        "rounds": outcome.rounds.len(),
        "fallen": outcome.accounts.iter().map(|fallen| fallen.account.to_string()).collect::<Vec<_>>(),
        "markets": markets.collect::<Vec<_>>(),
    })
}

/// Every account as bytes, in hexadecimal digits.
pub fn raw_accounts(world: &mut World<Lite>) -> Vec<Value> {
    use ballast_tests::harness::Chain;
    let keys: Vec<Pubkey> = world.watched().collect();
    let mut raw = Vec::new();
    for key in keys {
        let Some(account) = world.chain.account(&key) else { continue };
        if *account.owner() == ballast_client::addresses::PROGRAM_ID {
            let hex: String = account.data().iter().map(|byte| format!("{byte:02x}")).collect();
            raw.push(json!({ "address": key.to_string(), "data": hex }));
        }
    }
    raw
}

/// An account as the client sees it. Amounts as text, since JSON's numbers are not wide enough.
fn account(snapshot: &Snapshot, key: &Pubkey) -> Value {
    let view = snapshot.view().expect("the slabs open");
    let margin = snapshot.account(key).expect("the account");
    let assessment = view.assess(key, Marks::Current, None).expect("it can be assessed");
    let totals = &assessment.account;
    let positions =
        margin.slots.iter().filter_map(|slot| slot.market()).map(|market| position(snapshot, key, margin, market));
    json!({
        "address": key.to_string(),
        "settled": margin.collateral.to_string(),
        "equity": totals.equity.0.to_string(),
        "initialEquity": totals.initial_equity.0.to_string(),
        "initial": totals.initial.to_string(),
        "maintenance": totals.maintenance.to_string(),
        "stage": format!("{:?}", totals.stage()).to_lowercase(),
        "positions": positions.collect::<Vec<_>>(),
    })
}

fn position(snapshot: &Snapshot, key: &Pubkey, margin: &MarginAccount, market: u16) -> Value {
    let view = snapshot.view().expect("the slabs open");
    let state = view.position(key, market).expect("it can be read").unwrap_or_default();
    let text = |price: Option<i64>| price.map(|price| price.to_string());
    let liquidation = view.liquidation_price(key, margin, market).expect("it can be computed");
    let rank = view.rank(key, market).expect("it can be ranked").map(|ahead| {
        json!({
            "lights": ahead.lights(),
            "score": ahead.score.to_string(),
            "lotsAhead": ahead.lots_ahead.0.to_string(),
            "total": ahead.total.0.to_string(),
        })
    });
    json!({
        "market": market,
        "lots": state.position.0.to_string(),
        "basis": state.basis.0.to_string(),
        "unsettled": state.unsettled.0.to_string(),
        "funding": state.funding.0.to_string(),
        "bids": state.bids.0.to_string(),
        "asks": state.asks.0.to_string(),
        "liquidationPrice": liquidation.map(|price| price.0.to_string()),
        "bankruptcyPrice": text(view.bankruptcy_price(key, market, Marks::Current).ok().flatten()),
        "rank": rank,
    })
}

/// What the program does with a market order, on a copy of the world.
fn order(world: &mut World<Lite>, trader: Trader, market: u16, side: Side, lots: u64) -> Value {
    let band = world.market(market).band().expect("a band");
    let tick = world.market(market).params.tick;
    let price = match side {
        Side::Long => band.1.0 - band.1.0 % tick,
        Side::Short => band.0.0.next_multiple_of(tick),
    };
    let mut copy = world.fork();
    copy.audited = false;
    let outcome = copy.place(trader, market, market_order(side, Price(price), Lots(lots)));
    let key = world.margin(trader);
    let (after, refused) = match outcome {
        Ok(_) => (Some(account(&copy.snapshot(), &key)), None),
        Err(refusal) => (None, Some(refusal.name())),
    };
    json!({
        "address": key.to_string(),
        "market": market,
        "buys": side == Side::Long,
        "price": price.to_string(),
        "lots": lots.to_string(),
        "after": after,
        "refused": refused,
    })
}
