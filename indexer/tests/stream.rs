//! The WebSocket as clients see it: what they subscribe to comes, nothing else does, and who does not read is cut off.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use ballast_client::addresses;
use ballast_indexer::{
    api::{
        self, Limits, Markets, Shared,
        stream::{BACKLOG, News},
    },
    board::Board,
    db::{Place, Pool},
    metrics::Metrics,
};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use solana_pubkey::Pubkey;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::broadcast,
    time::{sleep, timeout},
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

const EXCHANGE: Pubkey = Pubkey::new_from_array([5; 32]);
const PATIENCE: Duration = Duration::from_secs(60);

struct Served {
    address: SocketAddr,
    news: broadcast::Sender<News>,
    metrics: Arc<Metrics>,
}

async fn serve(clients: usize) -> Served {
    let metrics = Arc::new(Metrics::new().unwrap());
    let (news, _) = broadcast::channel(BACKLOG);
    let pool = Pool::new(Place::Sqlite("/nonexistent".into()), 1);
    let (board, limits) = (Arc::new(Board::new(EXCHANGE)), Limits { requests: 4, clients });
    let shared = Shared::new(pool, board, metrics.clone(), Markets::new(&EXCHANGE), news.clone(), limits);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, api::router(shared)).await });
    Served { address, news, metrics }
}

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn connect(served: &Served) -> Client {
    connect_async(format!("ws://{}/v1/stream", served.address)).await.unwrap().0
}

async fn say(client: &mut Client, what: Value) -> Value {
    client.send(Message::text(what.to_string())).await.unwrap();
    hear(client).await
}

async fn hear(client: &mut Client) -> Value {
    loop {
        let message = timeout(PATIENCE, client.next()).await.unwrap().unwrap().unwrap();
        if let Message::Text(text) = message {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

#[tokio::test]
async fn clients_get_what_they_subscribe_to() {
    let served = serve(4).await;
    let (market, account) = (addresses::market(&EXCHANGE, 2).to_string(), EXCHANGE.to_string());
    let mut client = connect(&served).await;
    let subscribed = say(&mut client, json!({"subscribe": "trades", "market": market})).await;
    assert_eq!(subscribed, json!({"subscribed": "trades", "market": market}));
    say(&mut client, json!({"subscribe": "candles", "market": market, "interval": 60})).await;
    say(&mut client, json!({"subscribe": "account", "account": account})).await;

    let send = |news: News| served.news.send(news).unwrap();
    send(News::trade(1, "other", &json!({"price": "0"})));
    send(News::candle(2, &market, 300, &json!({"open": "0"})));
    send(News::account(&market, &json!({"kind": "fill"})));
    send(News::trade(2, &market, &json!({"price": "1"})));
    send(News::candle(2, &market, 60, &json!({"open": "2"})));
    send(News::account(&account, &json!({"kind": "fill"})));
    send(News::rollback(9));
    assert_eq!(hear(&mut client).await, json!({"channel": "trades", "market": market, "data": {"price": "1"}}));
    let candle = json!({"channel": "candles", "market": market, "interval": 60, "data": {"open": "2"}});
    assert_eq!(hear(&mut client).await, candle);
    assert_eq!(hear(&mut client).await, json!({"channel": "account", "account": account, "data": {"kind": "fill"}}));
    assert_eq!(hear(&mut client).await, json!({"channel": "rollback", "slot": 9}));

    assert_eq!(say(&mut client, json!({"unsubscribe": "trades", "market": market})).await["unsubscribed"], "trades");
    send(News::trade(2, &market, &json!({"price": "3"})));
    for wrong in [
        json!("x"),
        json!({}),
        json!({"subscribe": "everything"}),
        json!({"subscribe": "trades", "market": account}),
        json!({"subscribe": "trades", "unsubscribe": "trades", "market": market}),
        json!({"subscribe": "candles", "market": market, "interval": 7}),
        json!({"subscribe": "account", "account": "x"}),
    ] {
        let answer = say(&mut client, wrong.clone()).await;
        assert!(answer["error"].is_string(), "{wrong}: {answer}");
    }
}

#[tokio::test]
async fn subscriptions_and_clients_are_limited() {
    let served = serve(1).await;
    let mut client = connect(&served).await;
    let mut refused = 0;
    for number in 0..70u8 {
        let account = Pubkey::new_from_array([number; 32]).to_string();
        let answer = say(&mut client, json!({"subscribe": "account", "account": account})).await;
        refused += u32::from(answer["error"].is_string());
    }
    assert_eq!(refused, 6);
    assert!(connect_async(format!("ws://{}/v1/stream", served.address)).await.is_err());
}

#[tokio::test]
async fn who_does_not_read_is_cut_off() {
    let served = serve(4).await;
    let market = addresses::market(&EXCHANGE, 2).to_string();
    let mut client = connect(&served).await;
    say(&mut client, json!({"subscribe": "trades", "market": market})).await;
    assert_eq!(served.metrics.clients.get(), 1);
    // More than the sockets' buffers hold. What waits in memory are at most so many lines, however many come.
    let long = "x".repeat(4_000);
    for _ in 0..40 {
        for _ in 0..500 {
            served.news.send(News::trade(2, &market, &json!({"price": long}))).unwrap();
        }
        sleep(Duration::from_millis(5)).await;
    }
    let gone = async {
        while served.metrics.clients.get() > 0 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, gone).await.expect("the server lets go of a client that does not read");
}
