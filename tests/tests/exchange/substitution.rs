//! Every account of every instruction replaced by every other account there is: of another market, another exchange,
//! another trader. Whatever goes through must be harmless, and the exchanges stay sound.

use std::collections::BTreeMap;

use ballast_client::{
    addresses,
    instructions::{self, limit_order, stop_loss, trailing_stop},
    units::{Lots, Price, Side},
};
use ballast_tests::harness::{BTC, DOLLAR, ETH, Expect, MarketSpec, Realm, Trader, World};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

/// An instruction that succeeds as it is, and who signs it.
struct Case {
    name: &'static str,
    instruction: Instruction,
    signers: Vec<Keypair>,
    /// Accounts that the caller chooses, by position: anything of the right kind may stand there.
    free: &'static [usize],
}

/// Two exchanges alike: Ann is healthy and in two markets, Cal bankrupt, Dee short of margin.
struct Stage {
    world: World,
    other: Realm,
    ann: Trader,
    bob: Trader,
    cal: Trader,
    kit: Trader,
    dee: Trader,
    /// Kit's other account.
    twin: Trader,
}

fn set() -> Stage {
    let mut world = World::new(&[MarketSpec::btc(), MarketSpec::eth()]);
    people(&mut world);
    let first = world.found_another();
    for spec in [MarketSpec::btc(), MarketSpec::eth()] {
        world.create_market(&spec);
    }
    world.advance(1);
    world.advance(1);
    people(&mut world);
    let other = std::mem::replace(&mut world.realm, first);
    // Both exchanges' prices are fresh and their clocks agree.
    world.advance(1);
    let [ann, bob, cal, kit, dee, twin] = [0, 1, 2, 3, 4, 5].map(|at| world.traders().nth(at).expect("the cast"));
    Stage { world, other, ann, bob, cal, kit, dee, twin }
}

fn people(world: &mut World) {
    let (ann, bob) = (world.trader(10_000 * DOLLAR), world.trader(100_000 * DOLLAR));
    let (cal, kit) = (world.trader(550 * DOLLAR), world.trader(100_000 * DOLLAR));
    world.fund_insurance(10_000 * DOLLAR);
    // Ann referred Bob.
    world.set_fee_schedule([DOLLAR, 0, 0, 0], 2_500).succeeds();
    world.open_trader(ann, None).succeeds();
    let referrer = world.owner_key(ann);
    world.open_trader(bob, Some(referrer)).succeeds();
    world.roll_volume(&[bob]).succeeds();
    world.trade(ETH, ann, bob, 100, 4 * DOLLAR);
    world.trade(BTC, ann, bob, 100, 10 * DOLLAR);
    world.trade(BTC, cal, bob, 1_000, 10 * DOLLAR);
    // Dee has a ladder that will be due, Ann a stop, Bob a trailing stop that will lag behind.
    let dee = world.trader(130 * DOLLAR);
    world.trade(BTC, dee, bob, 100, 10 * DOLLAR);
    world.set_ladder(dee, &[(20_000, 2_500)], 100).succeeds();
    world.protect(ann, BTC, stop_loss(Side::Long, Price(19 * DOLLAR / 2), Some(Lots(5))));
    world.protect(bob, BTC, trailing_stop(Side::Short, 50_000, Some(Lots(5))));
    world.ask(ann, BTC, 10, 11 * DOLLAR);
    world.bid(bob, BTC, 10, 10 * DOLLAR - 100);
    world.move_price(BTC, 9 * DOLLAR);
    // The bankruptcy is noted, and the delay of deleveraging passes.
    world.liquidate(kit, cal, BTC).succeeds();
    world.advance(30);
    world.bid(bob, BTC, 100, 9 * DOLLAR - 100);
    world.ask(bob, BTC, 100, 9 * DOLLAR + 100);
    world.roll_volume(&[bob]).succeeds();
    world.another_account(kit, 0);
}

/// Every instruction once, each in a state where it succeeds.
fn cases(stage: &mut Stage) -> Vec<Case> {
    let (ann, cal, kit) = (stage.ann, stage.cal, stage.kit);
    let world = &mut stage.world;
    let (admin, guardian, payer) =
        (world.admin.insecure_clone(), world.guardian.insecure_clone(), world.payer.insecure_clone());
    let (owner, keeper) = (world.owner(ann), world.owner(kit));
    let (keys, market) = (world.keys, world.market_keys(BTC));
    let (margin, wallet) = (world.margin(ann), world.wallet(ann));
    let (exchange, key) = (keys.exchange, owner.pubkey());
    let others = world.others(ann, Some(BTC));
    let all = world.others(ann, None);
    let order = limit_order(Side::Long, Price(9 * DOLLAR + 100), Lots(20));
    let target = ballast_client::ballast::OrderRef::Client(0);
    let replace = instructions::replace_order(&key, &margin, &market, target, order.clone(), true, &others);
    let orders = ballast_client::ballast::BatchArgs { orders: vec![order.clone()], ..Default::default() };
    let batch = instructions::batch_orders(&key, &margin, &market, orders, &others);
    let mut tend_ann = world.tend(kit, ann, BTC);
    tend_ann.others = others.clone();
    let tend_cal = world.tend(kit, cal, BTC);
    let tend_dee = world.tend(kit, stage.dee, BTC);
    let stop = world.triggers(ann, BTC)[0].id;
    let trailing = world.triggers(world.traders().nth(1).expect("Bob"), BTC)[0].id;
    let more = stop_loss(Side::Long, Price(8 * DOLLAR), None);
    let takeover = world.takeover_of(kit, cal, BTC);
    let params = world.market(BTC).params;
    let asked = {
        let snapshot = world.snapshot();
        let view = snapshot.view().expect("sound slabs");
        let book = &view.market(BTC).expect("the market").book;
        book.orders(Side::Short).find(|order| order.price.0 == 11 * DOLLAR).expect("Ann's order").id
    };
    let (book, ranks) = world.create_slabs(&MarketSpec::btc());
    for key in [addresses::market(&exchange, 2), book, ranks] {
        world.watch(key);
    }
    let create = instructions::create_market(
        &admin.pubkey(),
        &exchange,
        2,
        &book,
        &ranks,
        MarketSpec::btc().identity([7; 32]),
        params,
    );
    let (to, kits, bobs) = (world.margin(stage.twin), world.margin(kit), world.margin(stage.bob));
    let (bob_key, bob_state) = (world.owner_key(stage.bob), world.owner_account(stage.bob).expect("opened"));
    world.watch(world.owner_key(kit));
    let oracle = world.oracle_account(BTC);
    // A newer price lies ready to be read.
    world.wait(1);
    let observation = world.observe(BTC, 9 * DOLLAR);
    world.write_observation(BTC, oracle, &observation);
    let case = |name, instruction, signers: &[&Keypair], free| Case {
        name,
        instruction,
        signers: signers.iter().map(|signer| signer.insecure_clone()).collect(),
        free,
    };
    vec![
        case("create_market", create, &[&admin], &[]),
        case(
            "update_market",
            instructions::update_market(&admin.pubkey(), &exchange, &market.market, params),
            &[&admin],
            &[2],
        ),
        case(
            "set_market_status",
            instructions::set_market_status(
                &guardian.pubkey(),
                &exchange,
                &market.market,
                ballast_client::ballast::state::MarketStatus::Paused,
            ),
            &[&guardian],
            &[2],
        ),
        case("set_pause", instructions::set_pause(&guardian.pubkey(), &exchange, true, true), &[&guardian], &[]),
        case("propose_admin", instructions::propose_admin(&admin.pubkey(), &exchange, &key), &[&admin], &[]),
        case("refresh_market", instructions::refresh_market(&market, &oracle), &[], &[]),
        case(
            "open_margin_account",
            instructions::open_margin_account(&payer.pubkey(), &key, &exchange, 9),
            &[&owner],
            &[],
        ),
        case("set_delegate", instructions::set_delegate(&key, &margin, &keeper.pubkey()), &[&owner], &[]),
        case("deposit", instructions::deposit(&key, &keys, &margin, &wallet, DOLLAR), &[&owner], &[2]),
        case("withdraw", instructions::withdraw(&key, &keys, &margin, &wallet, DOLLAR, &all), &[&owner], &[4]),
        case(
            "transfer_collateral",
            instructions::transfer_collateral(&keeper.pubkey(), &exchange, &kits, &to, DOLLAR, &[]),
            &[&keeper],
            &[],
        ),
        case(
            "open_trader",
            instructions::open_trader(&payer.pubkey(), &keeper.pubkey(), &exchange, None),
            &[&keeper],
            &[4],
        ),
        case("roll_volume", instructions::roll_volume(&exchange, &bob_key, &bob_state, &[bobs]), &[], &[]),
        case("claim_referral", instructions::claim_referral(&key, &exchange, &margin), &[&owner], &[]),
        case(
            "set_fee_schedule",
            instructions::set_fee_schedule(&admin.pubkey(), &exchange, [DOLLAR, 0, 0, 0], 100),
            &[&admin],
            &[],
        ),
        case("place_order", instructions::place_order(&key, &margin, &market, order, &others), &[&owner], &[]),
        case("replace_order", replace, &[&owner], &[]),
        case("batch_orders", batch, &[&owner], &[]),
        case("cancel_by_client_id", instructions::cancel_by_client_id(&key, &margin, &market, 0), &[&owner], &[]),
        case("grow_book", instructions::grow_book(&payer.pubkey(), &market), &[&payer], &[]),
        case("cancel_order", instructions::cancel_order(&key, &margin, &market, asked), &[&owner], &[]),
        case("cancel_all", instructions::cancel_all(&key, &margin, &market, None, 10), &[&owner], &[]),
        case("prune_orders", instructions::prune_orders(&market, Side::Long, 10), &[], &[]),
        case("place_triggers", instructions::place_triggers(&key, &margin, &market, more, None), &[&owner], &[]),
        case("edit_trigger", instructions::edit_trigger(&key, &margin, &market, stop, more.terms), &[&owner], &[]),
        case("cancel_trigger", instructions::cancel_trigger(&key, &margin, &market, stop), &[&owner], &[]),
        case("cancel_all_triggers", instructions::cancel_all_triggers(&key, &margin, &market), &[&owner], &[]),
        case("execute_trigger", instructions::execute_trigger(&tend_ann, stop), &[], &[0]),
        case("ratchet_trigger", instructions::ratchet_trigger(&market, trailing), &[], &[]),
        case("set_ladder", instructions::set_ladder(&key, &margin, &[(20_000, 100)], 50), &[&owner], &[]),
        case("execute_ladder", instructions::execute_ladder(&tend_dee), &[], &[0]),
        case("settle_seat", instructions::settle_seat(&tend_ann), &[], &[0, 1]),
        case("rerank", instructions::rerank(&tend_ann), &[], &[0, 1]),
        case("liquidate", instructions::liquidate(&tend_cal), &[], &[0]),
        case("takeover", instructions::takeover(&keys, &takeover, Lots(10)), &[&keeper], &[]),
        case("deleverage", instructions::deleverage(&keys, &tend_cal, 10), &[], &[0]),
        case("fund_insurance", instructions::fund_insurance(&key, &keys, &wallet, DOLLAR), &[&owner], &[]),
        case("sweep_insurance_fees", instructions::sweep_insurance_fees(&keys, &market), &[], &[1]),
        case(
            "withdraw_fees",
            instructions::withdraw_fees(&admin.pubkey(), &keys, &market.market, &wallet),
            &[&admin],
            &[2, 4],
        ),
    ]
}

/// Everything that might be passed for something else.
fn impostors(stage: &Stage) -> Vec<Pubkey> {
    let mut all: Vec<_> = stage.world.watched().collect();
    all.extend([
        solana_sdk_ids::system_program::ID,
        spl_token_interface::ID,
        addresses::PROGRAM_ID,
        stage.world.mint,
        stage.world.oracle_account(BTC),
        stage.world.oracle_account(ETH),
        stage.other.admin.pubkey(),
        Pubkey::new_unique(),
    ]);
    all
}

#[test]
fn no_account_of_an_instruction_can_be_replaced_by_another() {
    let mut stage = set();
    let cases = cases(&mut stage);
    for Case { name, instruction, signers, .. } in &cases {
        let signers: Vec<_> = signers.iter().collect();
        println!("{name} as it is");
        stage.world.fork().send(std::slice::from_ref(instruction), &signers).succeeds();
    }
    let impostors = impostors(&stage);
    let (mut refused, mut harmless) = (0, BTreeMap::<(&str, usize), usize>::new());
    for Case { name, instruction, signers, free } in &cases {
        let signers: Vec<_> = signers.iter().collect();
        for at in 0..instruction.accounts.len() {
            let meta = &instruction.accounts[at];
            if meta.is_signer {
                continue;
            }
            for impostor in impostors.iter().filter(|key| **key != meta.pubkey) {
                let mut forged = instruction.clone();
                forged.accounts[at].pubkey = *impostor;
                // What the caller may choose is tried, and audited, in a fork that is thrown away.
                let outcome = if free.contains(&at) {
                    stage.world.fork().send(&[forged], &signers)
                } else {
                    stage.world.send(&[forged], &signers)
                };
                match outcome {
                    Err(_) => refused += 1,
                    Ok(_) if free.contains(&at) => *harmless.entry((name, at)).or_default() += 1,
                    Ok(_) => panic!("{name}: account {at} can be {impostor} instead of {}", meta.pubkey),
                }
            }
        }
    }
    println!("{refused} refused; taken, where the caller chooses: {harmless:?}");
    assert!(refused > 4_000);
}

#[test]
fn nobody_signs_for_somebody_else() {
    let mut stage = set();
    let cases = cases(&mut stage);
    let strangers = [stage.world.owner(stage.cal), stage.other.admin.insecure_clone(), Keypair::new()];
    let mut refused = 0;
    for Case { name, instruction, .. } in &cases {
        for at in (0..instruction.accounts.len()).filter(|at| instruction.accounts[*at].is_signer) {
            if matches!(*name, "open_margin_account" | "open_trader" | "grow_book") && at == 0 {
                // Anybody may pay.
                continue;
            }
            for stranger in &strangers {
                let mut forged = instruction.clone();
                forged.accounts[at].pubkey = stranger.pubkey();
                let signers: Vec<_> = forged
                    .accounts
                    .iter()
                    .any(|meta| meta.is_signer && meta.pubkey == stranger.pubkey())
                    .then_some(stranger)
                    .into_iter()
                    .collect();
                stage.world.fork().send(&[forged], &signers).fails();
                refused += 1;
            }
            // Or without any signature.
            let mut unsigned = instruction.clone();
            unsigned.accounts[at].is_signer = false;
            stage.world.fork().send(&[unsigned], &[]).fails();
            refused += 1;
        }
    }
    assert!(refused >= 40, "{refused}");
}
