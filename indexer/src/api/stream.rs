//! Live lines over a WebSocket.
//!
//! Lines are written once and shared by all clients. A client that reads more slowly than lines come loses its
//! connection, not the server its memory: what waits for it is bounded, and so is the time that one line may take.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use axum::{
    extract::{
        State,
        ws::{Message as Frame, Utf8Bytes, WebSocket, WebSocketUpgrade},
    },
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use solana_pubkey::Pubkey;
use tokio::sync::broadcast::error::RecvError;
use utoipa::ToSchema;

use super::{Shared, answer::Refused};
use crate::candles::INTERVALS;

/// Lines that wait for slow clients; whoever falls behind by more is cut off.
pub const BACKLOG: usize = 4_096;
/// Most subscriptions of one client.
const MOST: usize = 64;
/// Longest message of a client, in bytes.
const LONGEST: usize = 4_096;
/// How long a client may take to accept one line.
const ACCEPT_WITHIN: Duration = Duration::from_secs(10);
/// How often a silent client is asked whether it is there.
const ASK_EVERY: Duration = Duration::from_secs(20);
/// How long a client may be silent.
const SILENT_FOR: Duration = Duration::from_secs(60);

/// What can be subscribed to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Fills in a market.
    Trades(u16),
    /// Candles of a market, of so many seconds.
    Candles(u16, i64),
    /// Everything that happens to an account.
    Account(String),
    /// Slots that were rolled back; everybody hears of these.
    Rollback,
}

/// A line for those who subscribed to its topic.
#[derive(Clone, Debug)]
pub struct News {
    /// What it is about.
    pub topic: Topic,
    /// The message.
    pub text: Utf8Bytes,
}

impl News {
    /// A fill.
    pub fn trade(index: u16, market: &str, item: &Value) -> News {
        let text = json!({"channel": "trades", "market": market, "data": item}).to_string().into();
        News { topic: Topic::Trades(index), text }
    }

    /// A candle as it is now.
    pub fn candle(index: u16, market: &str, interval: i64, candle: &impl Serialize) -> News {
        let text = json!({"channel": "candles", "market": market, "interval": interval, "data": candle});
        News { topic: Topic::Candles(index, interval), text: text.to_string().into() }
    }

    /// A line of an account's history.
    pub fn account(account: &str, item: &Value) -> News {
        let text = json!({"channel": "account", "account": account, "data": item}).to_string().into();
        News { topic: Topic::Account(account.to_string()), text }
    }

    /// Everything from a slot on was rolled back.
    pub fn rollback(slot: u64) -> News {
        let text = json!({"channel": "rollback", "slot": slot}).to_string().into();
        News { topic: Topic::Rollback, text }
    }
}

/// What a client says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Subscription {
    /// What to begin with: `trades`, `candles` or `account`.
    subscribe: Option<Channel>,
    /// What to end.
    unsubscribe: Option<Channel>,
    /// A market's address, for `trades` and `candles`.
    market: Option<String>,
    /// A margin account's address, for `account`.
    account: Option<String>,
    /// Seconds a candle, for `candles`.
    interval: Option<i64>,
}

/// A kind of live lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Channel {
    /// Fills in a market.
    Trades,
    /// Candles of a market as they change.
    Candles,
    /// Everything that happens to an account.
    Account,
    /// Slots that the cluster dropped: everything from `slot` on that was sent is void, what replaces it follows.
    Rollback,
}

/// What the server says: a line of a channel, or the answer to a subscription, or what is wrong with it.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "only describes what is written as JSON")]
pub(super) struct Message {
    /// The channel of a line.
    channel: Option<Channel>,
    /// Its market.
    market: Option<String>,
    /// Its account.
    account: Option<String>,
    /// Its interval.
    interval: Option<i64>,
    /// From where lines are void, of a rollback.
    slot: Option<u64>,
    /// The line: an item of the list of the same name, or a candle.
    #[schema(value_type = Object)]
    data: Option<Value>,
    /// What was subscribed to.
    subscribed: Option<Channel>,
    /// What was ended.
    unsubscribed: Option<Channel>,
    /// What is wrong.
    error: Option<String>,
}

pub(super) async fn stream(State(shared): State<Shared>, upgrade: WebSocketUpgrade) -> Response {
    let Ok(permit) = shared.0.clients.clone().try_acquire_owned() else {
        return Refused::busy("too many clients at once: try again later").into_response();
    };
    let limited = upgrade.max_message_size(LONGEST).max_frame_size(LONGEST).max_write_buffer_size(1 << 20);
    limited.on_upgrade(async move |socket| {
        let _permit = permit;
        let metrics = shared.0.metrics.clone();
        metrics.clients.inc();
        serve(shared, socket).await;
        metrics.clients.dec();
    })
}

async fn serve(shared: Shared, mut socket: WebSocket) {
    let mut news = shared.0.news.subscribe();
    let mut topics = HashSet::from([Topic::Rollback]);
    let mut asking = tokio::time::interval(ASK_EVERY);
    let mut heard = Instant::now();
    loop {
        let sent = tokio::select! {
            said = socket.recv() => {
                heard = Instant::now();
                match said {
                    Some(Ok(Frame::Text(text))) => send(&mut socket, Frame::Text(answer(&shared, &mut topics, &text))).await,
                    Some(Ok(Frame::Binary(_))) => send(&mut socket, error("send text, not bytes")).await,
                    Some(Ok(Frame::Ping(_) | Frame::Pong(_))) => true,
                    Some(Ok(Frame::Close(_)) | Err(_)) | None => false,
                }
            }
            line = news.recv() => match line {
                Ok(line) if topics.contains(&line.topic) => send(&mut socket, Frame::Text(line.text)).await,
                Ok(_) => true,
                Err(RecvError::Lagged(_)) => {
                    shared.0.metrics.cut_off.inc();
                    send(&mut socket, error("too slow: lines were lost, connect and read the lists again")).await;
                    false
                }
                Err(RecvError::Closed) => false,
            },
            _ = asking.tick() => {
                heard.elapsed() < SILENT_FOR && send(&mut socket, Frame::Ping(Default::default())).await
            }
        };
        if !sent || shared.0.board.is_stopping() {
            break;
        }
    }
    let _ = tokio::time::timeout(ACCEPT_WITHIN, socket.send(Frame::Close(None))).await;
}

/// Whether the client took it.
async fn send(socket: &mut WebSocket, frame: Frame) -> bool {
    matches!(tokio::time::timeout(ACCEPT_WITHIN, socket.send(frame)).await, Ok(Ok(())))
}

fn error(what: &str) -> Frame {
    Frame::Text(json!({"error": what}).to_string().into())
}

fn answer(shared: &Shared, topics: &mut HashSet<Topic>, text: &str) -> Utf8Bytes {
    let answer = match understood(shared, text) {
        Err(why) => json!({"error": why}),
        Ok((_, topic, true)) if topics.len() > MOST && !topics.contains(&topic) => {
            json!({"error": format!("at most {MOST} subscriptions")})
        }
        Ok((said, topic, begin)) => {
            if begin {
                topics.insert(topic);
            } else {
                topics.remove(&topic);
            }
            let word = if begin { "subscribed" } else { "unsubscribed" };
            let channel = said.subscribe.or(said.unsubscribe);
            let mut answer = json!({word: channel});
            let named =
                [("market", json!(said.market)), ("account", json!(said.account)), ("interval", json!(said.interval))];
            for (name, value) in named {
                if !value.is_null() {
                    answer[name] = value;
                }
            }
            answer
        }
    };
    answer.to_string().into()
}

/// What was said, its topic, and whether it begins or ends.
fn understood(shared: &Shared, text: &str) -> Result<(Subscription, Topic, bool), String> {
    let said: Subscription = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let (channel, begin) = match (said.subscribe, said.unsubscribe) {
        (Some(channel), None) => (channel, true),
        (None, Some(channel)) => (channel, false),
        _ => return Err("say either subscribe or unsubscribe".to_string()),
    };
    let market = || {
        let market = said.market.as_deref().ok_or("which market? say its address")?;
        shared.0.markets.index(market).ok_or_else(|| format!("{market} is no market of this exchange"))
    };
    let topic = match channel {
        Channel::Trades => Topic::Trades(market()?),
        Channel::Candles => match said.interval {
            Some(interval) if INTERVALS.contains(&interval) => Topic::Candles(market()?, interval),
            _ => return Err("interval is one of 60, 300, 900, 3600, 14400, 86400".to_string()),
        },
        Channel::Account => {
            let account = said.account.as_deref().ok_or("which account? say its address")?;
            let key: Pubkey = account.parse().map_err(|_| format!("{account:?} is no address"))?;
            Topic::Account(key.to_string())
        }
        Channel::Rollback => return Err("rollback needs no subscription: everybody hears of it".to_string()),
    };
    Ok((said, topic, begin))
}
