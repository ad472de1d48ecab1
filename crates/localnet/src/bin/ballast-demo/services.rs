//! What runs beside the node: keepers, the indexer, the page's server.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use ballast_localnet::{keepers::Keepers, processes::Processes, stage::Stage};
use serde::Serialize;

use crate::options::Options;

/// All of it.
pub struct Services {
    keepers: Keepers,
    others: Processes,
    served: Served,
}

/// Where it is reached.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Served {
    /// Each keeper's `/metrics`, `/health` and `/ready`.
    pub keepers: Vec<String>,
    /// The indexer.
    pub indexer: Option<String>,
    /// The page.
    pub page: Option<String>,
}

impl Services {
    /// Starts what is asked for.
    pub fn start(stage: &Stage, options: &Options) -> Result<Self> {
        let here = std::env::current_exe()?;
        let exchange = stage.deployment.keys.exchange;
        let logs = &options.logs;
        let mut keepers =
            Keepers::new(&here.with_file_name("ballast-keeper"), &logs.join("keepers"), &stage.localnet, exchange)?;
        if options.no_takers {
            keepers.without_takers();
        }
        let mut services =
            Services { keepers, others: Processes::new(&logs.join("others"))?, served: Served::default() };
        for _ in 0..options.keepers {
            services.served.keepers.extend(services.keepers.start_set(&stage.faucet)?);
        }
        if let Some(port) = options.indexer_port {
            services.start_indexer(&here.with_file_name("ballast-indexer"), stage, port)?;
        }
        if let Some(port) = options.page_port {
            services.start_page(&options.app, port)?;
        }
        Ok(services)
    }

    /// Where it is reached.
    pub fn served(&self) -> &Served {
        &self.served
    }

    /// Fails when something has ended by itself.
    pub fn check(&mut self) -> Result<()> {
        self.keepers.check()?;
        self.others.check()?;
        Ok(())
    }

    /// Ends all of it.
    pub fn stop(mut self) -> Result<()> {
        let stopped = self.keepers.stop();
        self.others.stop()?;
        Ok(stopped?)
    }

    /// With a database of its own that is as new as the network.
    fn start_indexer(&mut self, binary: &Path, stage: &Stage, port: u16) -> Result<()> {
        let address = format!("127.0.0.1:{port}");
        let database = format!("sqlite://{}", self.others.folder().join("indexer.db").display());
        let mut command = Command::new(binary);
        command
            .args(["--rpc-url", stage.localnet.rpc_url(), "--ws-url", stage.localnet.ws_url()])
            .args(["--exchange", &stage.deployment.keys.exchange.to_string()])
            // What is confirmed is enough here, and soon enough to be looked at.
            .args(["--database-url", &database, "--listen", &address, "--commitment", "confirmed"]);
        self.others.start("indexer", &mut command)?;
        self.served.indexer = Some(format!("http://{address}/v1"));
        Ok(())
    }

    fn start_page(&mut self, app: &Path, port: u16) -> Result<()> {
        let app = app.canonicalize().with_context(|| format!("the page's folder {}", app.display()))?;
        ensure!(app.join("dist/index.html").exists(), "the page is not built: `cargo xtask app` does it");
        let mut command = Command::new("node");
        // Not by npx, which would pass no signal on.
        command.args(["node_modules/vite/bin/vite.js", "preview", "--host", "127.0.0.1", "--strictPort", "--port"]);
        self.others.start("page", command.arg(port.to_string()).current_dir(app))?;
        self.served.page = Some(format!("http://127.0.0.1:{port}/"));
        Ok(())
    }
}
