//! Starting and stopping the node, and setting accounts in it.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use solana_account::Account;
use solana_commitment_config::CommitmentConfig;
use solana_pubkey::Pubkey;
use solana_rpc_client::rpc_client::RpcClient;
use surfpool_core::{
    runloops::start_local_surfnet_runloop,
    surfnet::{
        GeyserEvent,
        locker::SurfnetSvmLocker,
        svm::{SurfnetSvm, SurfnetSvmConfig},
    },
};
use surfpool_types::{
    BlockProductionMode, RpcConfig, SimnetCommand, SimnetConfig, SimnetEvent, SurfpoolConfig, SvmFeatureConfig,
};

use crate::{
    LocalnetError,
    clock::{BackgroundPacer, Blocks, ChainClock},
    control::Control,
    history::History,
    program::ProgramFile,
};

/// How long [`Localnet::stop`] waits for the two servers to close, in seconds.
const STOP_SECONDS: u64 = 5;
/// Log lines of one transaction that the node keeps, in bytes: what a cluster keeps.
const LOG_BYTES: usize = 10_000;

/// What to start.
#[derive(Clone, Debug)]
pub struct LocalnetConfig {
    /// The address that both servers listen on.
    pub host: IpAddr,
    /// Port of the JSON-RPC server; 0 takes any free one.
    pub rpc_port: u16,
    /// Port of the WebSocket server; 0 takes any free one.
    pub ws_port: u16,
    /// What makes the node close a block.
    pub blocks: Blocks,
    /// How far one block moves the chain's clock, in milliseconds. Pace divides it to get the wall time of a block.
    pub slot_ms: u64,
    /// The chain's time at the first block, in unix seconds. `None` is the system's time.
    pub genesis_time: Option<i64>,
    /// Programs to deploy before `start` returns.
    pub programs: Vec<ProgramFile>,
    /// How many transactions the node remembers, and how many blocks that had any. At 10 kilobytes or so each.
    pub history: usize,
}

impl Default for LocalnetConfig {
    fn default() -> Self {
        Self {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            rpc_port: 8899,
            ws_port: 8900,
            blocks: Blocks::Paced { speed: 1.0 },
            slot_ms: 400,
            genesis_time: None,
            programs: Vec::new(),
            history: 10_000,
        }
    }
}

/// A running node. Dropping it stops it.
pub struct Localnet {
    rpc_url: String,
    ws_url: String,
    control: Control,
    clock: ChainClock,
    pacer: Option<BackgroundPacer>,
    servers_closed: Receiver<()>,
    node: Option<JoinHandle<()>>,
}

impl Localnet {
    /// Starts a node and returns when it answers requests and has its programs.
    pub fn start(config: LocalnetConfig) -> Result<Self, LocalnetError> {
        let (rpc_port, ws_port) = reserve_ports(&config)?;
        let (mode, block_ms) = match config.blocks {
            Blocks::OnTransaction => (BlockProductionMode::Transaction, 0),
            Blocks::Paced { .. } | Blocks::Manual => (BlockProductionMode::Manual, config.slot_ms),
        };

        let (mut svm, events, geyser_events) = SurfnetSvm::new(SurfnetSvmConfig {
            surfnet_id: "ballast-localnet".into(),
            feature_config: SvmFeatureConfig::default(),
            slot_time: block_ms,
            // Profiles hold copies of every account of every transaction: megabytes each with Ballast's books.
            instruction_profiling_enabled: false,
            max_profiles: 1,
            log_bytes_limit: Some(LOG_BYTES),
            skip_blockhash_check: false,
        })
        .map_err(|error| LocalnetError::Start(error.to_string()))?;
        svm.transactions = Box::new(History::new(config.history));
        svm.blocks = Box::new(History::new(config.history));
        if let Some(seconds) = config.genesis_time {
            let seconds = u64::try_from(seconds).map_err(|_| LocalnetError::TimeBeforeEpoch(seconds))?;
            svm.updated_at = seconds.saturating_mul(1_000);
            svm.genesis_updated_at = svm.updated_at;
            svm.reconstruct_sysvars();
        }

        let locker = SurfnetSvmLocker::new(svm);
        let (commands, commands_received) = unbounded();
        let control = Control::new(commands.clone(), locker.clone());
        let surfpool = SurfpoolConfig {
            simnets: vec![SimnetConfig {
                offline_mode: true,
                remote_rpc_url: None,
                block_production_mode: mode,
                instruction_profiling_enabled: false,
                ..SimnetConfig::default()
            }],
            rpc: RpcConfig { bind_host: config.host.to_string(), bind_port: rpc_port, ws_port, ..RpcConfig::default() },
            ..SurfpoolConfig::default()
        };
        // Both the node's events and the end of its loop can settle whether it started; the first one counts.
        let (started, ready) = bounded(1);
        let servers_closed = listen_to_events(events, started.clone())?;
        let node = thread::Builder::new().name("localnet-node".into()).spawn(move || {
            if let Err(reason) = run_node(locker, surfpool, commands, commands_received, geyser_events) {
                tracing::error!(reason, "the node ended");
                let _ = started.try_send(Err(reason));
            }
        })?;
        let clock = ChainClock::new(control.clone(), config.slot_ms);
        let mut localnet = Self {
            rpc_url: format!("http://{}", SocketAddr::new(config.host, rpc_port)),
            ws_url: format!("ws://{}", SocketAddr::new(config.host, ws_port)),
            control,
            clock,
            pacer: None,
            servers_closed,
            node: Some(node),
        };
        ready.recv().map_err(|_| LocalnetError::Stopped)?.map_err(LocalnetError::Start)?;
        for program in &config.programs {
            localnet.deploy(program)?;
        }
        localnet.set_blocks(config.blocks)?;
        Ok(localnet)
    }

    /// The address of the JSON-RPC server.
    pub fn rpc_url(&self) -> &str {
        &self.rpc_url
    }

    /// The address of the WebSocket server.
    pub fn ws_url(&self) -> &str {
        &self.ws_url
    }

    /// A blocking RPC client whose reads and confirmations are at `confirmed`.
    pub fn rpc(&self) -> RpcClient {
        RpcClient::new_with_commitment(self.rpc_url.clone(), CommitmentConfig::confirmed())
    }

    /// The chain's clock.
    pub fn clock(&self) -> &ChainClock {
        &self.clock
    }

    /// Changes what makes the node close a block.
    pub fn set_blocks(&mut self, blocks: Blocks) -> Result<(), LocalnetError> {
        self.pacer = None;
        self.clock.set_mode(blocks)?;
        if let Blocks::Paced { speed } = blocks {
            self.pacer = Some(BackgroundPacer::start(self.clock.clone(), speed)?);
        }
        Ok(())
    }

    /// An account as it is now, block or no block. `None` when there is none.
    pub fn account(&self, address: &Pubkey) -> Option<Account> {
        self.control.read(|svm| svm.get_account(address).ok().flatten())
    }

    /// Writes an account as it is, rent-exempt, and tells subscribers. This is a cheat code: no program is asked.
    pub fn set_account(&self, address: Pubkey, owner: Pubkey, data: Vec<u8>) -> Result<(), LocalnetError> {
        self.set_accounts(vec![(address, owner, data)])
    }

    /// Writes several accounts, given as address, owner and data, with no transaction between them.
    pub fn set_accounts(&self, accounts: Vec<(Pubkey, Pubkey, Vec<u8>)>) -> Result<(), LocalnetError> {
        self.control.change(move |svm| {
            for (address, owner, data) in accounts {
                let lamports = svm.inner.minimum_balance_for_rent_exemption(data.len());
                let account = Account { lamports, data, owner, executable: false, rent_epoch: u64::MAX };
                svm.set_account(&address, account).map_err(|error| LocalnetError::Refused {
                    action: format!("set account {address}"),
                    reason: error.to_string(),
                })?;
            }
            Ok(())
        })?
    }

    /// Puts a compiled program at its address, replacing whatever is there. The next transaction runs it.
    pub fn deploy(&self, program: &ProgramFile) -> Result<(), LocalnetError> {
        program.deploy(&self.control)
    }

    /// Stops the node and returns when its ports are free.
    pub fn stop(mut self) -> Result<(), LocalnetError> {
        self.shut_down()
    }

    fn shut_down(&mut self) -> Result<(), LocalnetError> {
        self.pacer = None;
        let Some(node) = self.node.take() else { return Ok(()) };
        if self.control.send(SimnetCommand::Terminate(None)).is_err() {
            return Ok(());
        }
        let deadline = Instant::now() + Duration::from_secs(STOP_SECONDS);
        for _server in ["RPC", "WebSocket"] {
            self.servers_closed.recv_deadline(deadline).map_err(|_| LocalnetError::StopTimeout(STOP_SECONDS))?;
        }
        // A panic there has already been printed.
        let _ = node.join();
        Ok(())
    }
}

impl Drop for Localnet {
    fn drop(&mut self) {
        if let Err(error) = self.shut_down() {
            tracing::warn!(%error, "the node did not stop cleanly");
        }
    }
}

/// Keeps the node's event channel empty, for the node waits when it is full. Reports the start, and each closed server
/// on the channel that is returned.
fn listen_to_events(
    events: Receiver<SimnetEvent>,
    started: Sender<Result<(), String>>,
) -> Result<Receiver<()>, LocalnetError> {
    let (closed, servers_closed) = unbounded();
    thread::Builder::new().name("localnet-events".into()).spawn(move || {
        for event in events {
            // Sending fails when nobody waits any more: for the start once it is over, for the end once all is dropped.
            match event {
                SimnetEvent::CoreStarted(_) => drop(started.try_send(Ok(()))),
                SimnetEvent::Aborted(reason) => drop(started.try_send(Err(reason))),
                SimnetEvent::Shutdown => drop(closed.send(())),
                SimnetEvent::ErrorLog(_, text) | SimnetEvent::WarnLog(_, text) => tracing::debug!("{text}"),
                SimnetEvent::InfoLog(_, text) | SimnetEvent::DebugLog(_, text) => tracing::trace!("{text}"),
                _ => {}
            }
        }
    })?;
    Ok(servers_closed)
}

/// Runs the node's loop until it is told to stop.
fn run_node(
    locker: SurfnetSvmLocker,
    config: SurfpoolConfig,
    commands: Sender<SimnetCommand>,
    commands_received: Receiver<SimnetCommand>,
    geyser_events: Receiver<GeyserEvent>,
) -> Result<(), String> {
    // The loop blocks its thread for a moment wherever it takes the state's lock, which only this kind of runtime allows.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let node = start_local_surfnet_runloop(locker, config, commands, commands_received, geyser_events);
    runtime.block_on(node).map_err(|error| error.to_string())
}

/// Finds out now, and in words, whether the servers will be able to listen. Returns the RPC and the WebSocket port.
fn reserve_ports(config: &LocalnetConfig) -> Result<(u16, u16), LocalnetError> {
    if config.rpc_port == config.ws_port && config.rpc_port != 0 {
        return Err(LocalnetError::SamePort(config.rpc_port));
    }
    let reserve = |port| {
        let address = SocketAddr::new(config.host, port);
        TcpListener::bind(address)
            .and_then(|listener| Ok((listener.local_addr()?.port(), listener)))
            .map_err(|source| LocalnetError::Port { address: address.to_string(), source })
    };
    // Both are held until both are known, so that two free ports are two different ones.
    let (rpc_port, _rpc) = reserve(config.rpc_port)?;
    let (ws_port, _ws) = reserve(config.ws_port)?;
    Ok((rpc_port, ws_port))
}
