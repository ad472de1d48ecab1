//! Margin accounts and vaults: opening, collateral in and out, delegates, closing, pauses, roles.

use ballast_client::{
    ballast::{error::BallastError, state::MarketStatus},
    instructions,
};
use ballast_tests::harness::{BTC, DOLLAR, Expect, World};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

#[test]
fn a_deposit_is_settled_collateral_and_comes_back_whole() {
    let mut world = World::btc();
    let ann = world.trader(0);
    let wallet = world.wallet_tokens(ann);
    world.deposit(ann, 250 * DOLLAR).succeeds();
    assert_eq!((world.collateral(ann), world.vault_tokens()), (250 * DOLLAR, 250 * DOLLAR));
    assert_eq!(world.wallet_tokens(ann), wallet - 250 * DOLLAR);
    world.withdraw(ann, 250 * DOLLAR).succeeds();
    assert_eq!((world.collateral(ann), world.vault_tokens()), (0, 0));
    assert_eq!(world.wallet_tokens(ann), wallet);
}

#[test]
fn nobody_withdraws_more_than_the_collateral() {
    let mut world = World::btc();
    let (ann, _bob) = (world.trader(100 * DOLLAR), world.trader(100 * DOLLAR));
    world.withdraw(ann, 100 * DOLLAR + 1).fails_with(BallastError::InsufficientSettled);
    world.withdraw(ann, u64::MAX).fails_with(BallastError::InsufficientSettled);
    world.withdraw(ann, 0).fails_with(BallastError::ZeroAmount);
    world.deposit(ann, 0).fails_with(BallastError::ZeroAmount);
}

#[test]
fn an_owner_has_many_accounts_and_they_are_separate() {
    let mut world = World::btc();
    let first = world.trader(100 * DOLLAR);
    let second = world.another_account(first, 50 * DOLLAR);
    assert_ne!(world.margin(first), world.margin(second));
    assert_eq!((world.number(first), world.number(second)), (0, 1));
    world.withdraw(second, 51 * DOLLAR).fails_with(BallastError::InsufficientSettled);
    assert_eq!((world.collateral(first), world.collateral(second)), (100 * DOLLAR, 50 * DOLLAR));
}

#[test]
fn anyone_may_add_to_anyones_collateral_and_only_the_owner_takes_it() {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(0), world.trader(0));
    let (owner, margin, wallet) = (world.owner(bob), world.margin(ann), world.wallet(bob));
    let gift = instructions::deposit(&owner.pubkey(), &world.keys, &margin, &wallet, 5 * DOLLAR);
    world.send(&[gift], &[&owner]).succeeds();
    assert_eq!(world.collateral(ann), 5 * DOLLAR);
    let theft = instructions::withdraw(&owner.pubkey(), &world.keys, &margin, &wallet, 5 * DOLLAR, &[]);
    world.send(&[theft], &[&owner]).fails_with(BallastError::Unauthorized);
}

#[test]
fn only_an_empty_account_is_closed() {
    let mut world = World::btc();
    let ann = world.trader(1_000 * DOLLAR);
    world.close_account(ann).fails_with(BallastError::NotEmpty);
    let order = world.bid(ann, BTC, 1, 9 * DOLLAR);
    world.withdraw(ann, 990 * DOLLAR).succeeds();
    world.cancel(ann, BTC, order).succeeds();
    world.withdraw(ann, 10 * DOLLAR).succeeds();
    // The seat went with its last order: nobody else is needed.
    world.close_account(ann).succeeds();
    let margin = world.margin(ann);
    assert!(world.snapshot().account(&margin).is_none());
}

#[test]
fn a_closed_account_can_be_opened_again_and_is_empty() {
    let mut world = World::btc();
    let ann = world.trader(DOLLAR);
    world.withdraw(ann, DOLLAR).succeeds();
    world.close_account(ann).succeeds();
    let (owner, payer) = (world.owner(ann), world.payer.pubkey());
    let open = instructions::open_margin_account(&payer, &owner.pubkey(), &world.keys.exchange, 0);
    world.send(&[open], &[&owner]).succeeds();
    assert_eq!(world.collateral(ann), 0);
    let again = instructions::open_margin_account(&payer, &owner.pubkey(), &world.keys.exchange, 0);
    world.send(&[again], &[&owner]).fails();
}

#[test]
fn a_delegate_trades_but_neither_withdraws_nor_names_another() {
    let mut world = World::btc();
    let (ann, delegate) = (world.trader(1_000 * DOLLAR), Keypair::new());
    let (margin, wallet, keys) = (world.margin(ann), world.wallet(ann), world.market_keys(BTC));
    let order = || {
        let bid = instructions::post_only_order(
            ballast_client::units::Side::Long,
            ballast_client::units::Price(9 * DOLLAR),
            ballast_client::units::Lots(1),
        );
        instructions::place_order(&delegate.pubkey(), &margin, &keys, bid, &[])
    };
    world.send(&[order()], &[&delegate]).fails_with(BallastError::Unauthorized);
    world.set_delegate(ann, &delegate.pubkey()).succeeds();
    world.send(&[order()], &[&delegate]).succeeds();
    let withdraw = instructions::withdraw(&delegate.pubkey(), &world.keys, &margin, &wallet, 1, &[]);
    world.send(&[withdraw], &[&delegate]).fails_with(BallastError::Unauthorized);
    let appoint = instructions::set_delegate(&delegate.pubkey(), &margin, &Pubkey::new_unique());
    world.send(&[appoint], &[&delegate]).fails_with(BallastError::Unauthorized);
    let close = instructions::close_margin_account(&delegate.pubkey(), &margin, &delegate.pubkey());
    world.send(&[close], &[&delegate]).fails_with(BallastError::Unauthorized);
    world.set_delegate(ann, &Pubkey::default()).succeeds();
    world.send(&[order()], &[&delegate]).fails_with(BallastError::Unauthorized);
}

#[test]
fn the_guardian_stops_deposits_and_withdrawals_and_only_the_admin_resumes_them() {
    let mut world = World::btc();
    let ann = world.trader(100 * DOLLAR);
    let (admin, guardian) = (world.admin.insecure_clone(), world.guardian.insecure_clone());
    let exchange = world.keys.exchange;
    let pause =
        |by: &Keypair, deposits, withdrawals| instructions::set_pause(&by.pubkey(), &exchange, deposits, withdrawals);
    world.send(&[pause(&guardian, true, true)], &[&guardian]).succeeds();
    world.deposit(ann, DOLLAR).fails_with(BallastError::Paused);
    world.withdraw(ann, DOLLAR).fails_with(BallastError::Paused);
    world.send(&[pause(&guardian, true, false)], &[&guardian]).fails_with(BallastError::Unauthorized);
    world.send(&[pause(&admin, false, false)], &[&admin]).succeeds();
    world.deposit(ann, DOLLAR).succeeds();
    world.withdraw(ann, DOLLAR).succeeds();
    let owner = world.owner(ann);
    world.send(&[pause(&owner, true, true)], &[&owner]).fails_with(BallastError::Unauthorized);
}

#[test]
fn the_guardian_only_tightens_a_market() {
    let mut world = World::btc();
    let (admin, guardian) = (world.admin.insecure_clone(), world.guardian.insecure_clone());
    let (exchange, market) = (world.keys.exchange, world.market_keys(BTC).market);
    let set = |by: &Keypair, status| instructions::set_market_status(&by.pubkey(), &exchange, &market, status);
    world.send(&[set(&guardian, MarketStatus::ReduceOnly)], &[&guardian]).succeeds();
    world.send(&[set(&guardian, MarketStatus::Active)], &[&guardian]).fails_with(BallastError::Unauthorized);
    world.send(&[set(&guardian, MarketStatus::Paused)], &[&guardian]).succeeds();
    world.send(&[set(&guardian, MarketStatus::ReduceOnly)], &[&guardian]).fails_with(BallastError::Unauthorized);
    world.send(&[set(&admin, MarketStatus::Active)], &[&admin]).succeeds();
}

#[test]
fn the_admin_role_moves_in_two_steps() {
    let mut world = World::btc();
    let (admin, next, other) = (world.admin.insecure_clone(), Keypair::new(), Keypair::new());
    let exchange = world.keys.exchange;
    let accept = |by: &Keypair| instructions::accept_admin(&by.pubkey(), &exchange);
    let propose = |by: &Keypair, next: &Pubkey| instructions::propose_admin(&by.pubkey(), &exchange, next);
    world.send(&[propose(&other, &other.pubkey())], &[&other]).fails_with(BallastError::Unauthorized);
    world.send(&[accept(&next)], &[&next]).fails_with(BallastError::Unauthorized);
    world.send(&[propose(&admin, &next.pubkey())], &[&admin]).succeeds();
    assert_eq!(world.exchange().admin, admin.pubkey(), "not before it is accepted");
    world.send(&[accept(&other)], &[&other]).fails_with(BallastError::Unauthorized);
    world.send(&[accept(&next)], &[&next]).succeeds();
    assert_eq!(world.exchange().admin, next.pubkey());
    world.send(&[accept(&next)], &[&next]).fails_with(BallastError::Unauthorized);
    world.send(&[propose(&admin, &admin.pubkey())], &[&admin]).fails_with(BallastError::Unauthorized);
}

#[test]
fn an_offer_of_the_admin_role_can_be_withdrawn() {
    let mut world = World::btc();
    let (admin, next) = (world.admin.insecure_clone(), Keypair::new());
    let exchange = world.keys.exchange;
    let propose = |key: &Pubkey| instructions::propose_admin(&admin.pubkey(), &exchange, key);
    world.send(&[propose(&next.pubkey())], &[&admin]).succeeds();
    world.send(&[propose(&Pubkey::default())], &[&admin]).succeeds();
    let accept = instructions::accept_admin(&next.pubkey(), &exchange);
    world.send(&[accept], &[&next]).fails_with(BallastError::Unauthorized);
}

#[test]
fn parameters_beyond_their_bounds_are_refused_even_to_the_admin() {
    let mut world = World::btc();
    world.update_market(BTC, |params| params.taker_fee_ppm = 5_001).fails_with(BallastError::ParameterOutOfBounds);
    world.update_market(BTC, |params| params.band_bps = 5_001).fails_with(BallastError::ParameterOutOfBounds);
    world.update_market(BTC, |params| params.tick = 0).fails_with(BallastError::ParameterOutOfBounds);
    world.update_market(BTC, |params| params.tiers[0].initial_bps = 79).fails_with(BallastError::ParameterOutOfBounds);
    world.update_market(BTC, |params| params.settle_bounty = 10_001).fails_with(BallastError::ParameterOutOfBounds);
    world.update_market(BTC, |params| params.taker_fee_ppm = 5_000).succeeds();
}
