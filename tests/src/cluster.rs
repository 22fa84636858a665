//! A throw-away Kubernetes of one node: what it is made of says `tests/testbed/cluster/README.md`.

pub mod audit;
mod network;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::proxy::TcpProxy;
use crate::testbed::{self, Server};
use crate::tools::{self, Run};

pub use network::Network;

/// The image of ksnapshot, around the binary under test.
pub const KSNAPSHOT: &str = "ksnapshot.test/ksnapshot:1";

/// A shell with the usual commands, and an empty file system else.
pub const TOOL: &str = "ksnapshot.test/tool:1";

/// The node's address, at which pods reach what [`Cluster::in_net`] runs.
pub const NODE: &str = "10.244.0.1";

/// A Kubernetes in a network of its own. It ends with this value, or with this process.
#[derive(Debug)]
pub struct Cluster {
    dir: PathBuf,
    port: u16,
    network: Network,
    _server: Server,
}

impl Cluster {
    /// The one with a node that the tests of this process share; each keeps to namespaces of its own, see
    /// [`Cluster::namespace`].
    pub fn shared() -> Result<&'static Self> {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        testbed::share(&SHARED, Self::start)
    }

    /// One with a node of its own, for tests that break it. It takes 0.7 GiB.
    pub fn start() -> Result<Self> {
        Self::start_as("node")
    }

    /// One without a node: the API and the controllers are real, and no pod ever runs.
    pub fn api_only() -> Result<Self> {
        Self::start_as("api")
    }

    fn start_as(mode: &str) -> Result<Self> {
        // A port can be taken between being found and being used.
        let mut tries = 0;
        loop {
            tries += 1;
            match Self::start_once(mode) {
                Err(e) if tries < 5 && format!("{e:?}").contains("already in use") => {}
                result => return result,
            }
        }
    }

    fn start_once(mode: &str) -> Result<Self> {
        let home = testbed::home()?;
        testbed::require(&home.join("cluster/bin/kube-all"))?;
        testbed::require(&home.join("cluster/images/.ready"))?;
        let dir = testbed::run_dir(&home.join("run"))?;
        fs::create_dir_all(dir.join("images"))?;
        if mode == "node" {
            let image = dir.join("images/ksnapshot.tar");
            let mut make = Command::new(testbed::script("cluster/image-ksnapshot"));
            tools::run(make.arg(crate::binary()?).arg(image))?.success()?;
        }
        let port = testbed::free_port()?;
        // The keeper ignores signals, which a script would inherit for good.
        let mut command = Command::new("env");
        command
            .arg("--default-signal")
            .arg(testbed::script("cluster/up"))
            .arg("--stay");
        command
            .envs(same_cache())
            .env("KN_RUN", &dir)
            .env("KN_PORT", port.to_string())
            .env("KN_MODE", mode);
        let server = Server::start(&command, "TERM", &dir)?;
        server.await_ready("Kubernetes", || dir.join("ready").exists())?;
        let pid = fs::read_to_string(dir.join("nspid"))?;
        let network = Network::of(pid.trim().parse()?)?;
        Ok(Self {
            dir,
            port,
            network,
            _server: server,
        })
    }

    /// Its API on this machine.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// How its administrator finds it.
    pub fn kubeconfig(&self) -> PathBuf {
        self.dir.join("admin.kubeconfig")
    }

    /// How a service account finds it, with a token for an hour. The file is in `folder`.
    pub fn kubeconfig_of(&self, namespace: &str, account: &str, folder: &Path) -> Result<PathBuf> {
        let token = self.kubectl(["create", "token", account, "-n", namespace])?;
        let text = fs::read_to_string(self.kubeconfig())?;
        let (before, rest) = text.split_once("{token: ").context("a token")?;
        let (_, after) = rest.split_once('}').context("its end")?;
        let path = folder.join(format!("{namespace}-{account}.kubeconfig"));
        fs::write(&path, format!("{before}{{token: {}}}{after}", token.trim()))?;
        Ok(path)
    }

    /// Makes a namespace that no other test of this process is given, and gives its name: `<stem>-<number>`.
    pub fn namespace(&self, stem: &str) -> Result<String> {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let name = format!("{stem}-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        self.kubectl(["create", "namespace", &name])?;
        Ok(name)
    }

    /// Runs `kubectl` as administrator and gives what it printed; fails, showing everything, if it does.
    pub fn kubectl<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Result<String> {
        Ok(self.try_kubectl(args)?.success()?.text())
    }

    /// … whose exit code may be any.
    pub fn try_kubectl<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Result<Run> {
        let mut command = Command::new(testbed::home()?.join("cluster/bin/kubectl"));
        self.told(&mut command);
        tools::run(command.args(args))
    }

    /// What `kubectl get` says of objects.
    pub fn get<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Result<Value> {
        let args: Vec<OsString> = args.into_iter().map(|arg| arg.as_ref().into()).collect();
        let mut all: Vec<&OsStr> = vec!["get".as_ref(), "-o".as_ref(), "json".as_ref()];
        all.extend(args.iter().map(OsString::as_os_str));
        Ok(serde_json::from_str(&self.kubectl(all)?)?)
    }

    /// Makes objects as this YAML says, or changes them; those that name no namespace go into this one.
    pub fn apply(&self, namespace: &str, yaml: &str) -> Result<()> {
        let file = tempfile::NamedTempFile::new()?;
        fs::write(&file, yaml)?;
        let args = ["apply", "-n", namespace, "-f"].map(OsStr::new);
        self.kubectl(args.into_iter().chain([file.path().as_os_str()]))?;
        Ok(())
    }

    /// Waits until objects (`pod/db`, or `pod` and `-l` and a selector) are as `kubectl wait --for` has it:
    /// `condition=Ready`, `jsonpath={.status.phase}=Succeeded`, `delete`. Fails after a minute, telling the events and
    /// what the pods wrote.
    pub fn wait<'a>(
        &self,
        namespace: &'a str,
        until: &'a str,
        objects: impl IntoIterator<Item = &'a str>,
    ) -> Result<()> {
        let args = ["wait", "-n", namespace, "--timeout=60s", "--for", until];
        let run = self.try_kubectl(args.into_iter().chain(objects))?;
        if run.code() == Some(0) {
            return Ok(());
        }
        let mut told = self.kubectl(["get", "events,pods", "-n", namespace])?;
        for pod in self
            .kubectl(["get", "pods", "-n", namespace, "-o", "name"])?
            .lines()
        {
            let logs = self.try_kubectl(["logs", "-n", namespace, pod, "--tail=20"])?;
            told += &format!("\n{pod}:\n{}", logs.text());
        }
        run.success().map(drop).context(told)
    }

    /// Polls `probe` until it gives a value; fails after `limit`. Less often than [`testbed::until`] does: who asks a
    /// cluster takes a core from it.
    pub fn until<T>(
        limit: Duration,
        what: &str,
        mut probe: impl FnMut() -> Result<Option<T>>,
    ) -> Result<T> {
        let mut first = true;
        testbed::until(limit, what, || {
            if !std::mem::take(&mut first) {
                thread::sleep(Duration::from_millis(200));
            }
            probe()
        })
    }

    /// What a pod wrote.
    pub fn logs(&self, namespace: &str, pod: &str) -> Result<String> {
        self.kubectl(["logs", "-n", namespace, pod])
    }

    /// Runs `helm` as administrator and gives what it printed; fails, showing everything, if it does.
    pub fn helm<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Result<String> {
        let program = testbed::home()?.join("bin/helm");
        testbed::require(&program)?;
        let mut command = Command::new(program);
        self.told(&mut command);
        Ok(tools::run(command.args(args))?.success()?.text())
    }

    /// Every request so far, in the order in which they were answered; a watch is there twice, when it begins and when
    /// it ends.
    pub fn audit(&self) -> Result<Vec<audit::Entry>> {
        audit::read(&self.dir.join("audit.log"))
    }

    /// A program of this machine in the cluster's network: what it listens on is reached by pods at [`NODE`], and all
    /// that it reaches are pods, services, and the API at 127.0.0.1.
    pub fn in_net(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", self.network.path().display()));
        command.arg("--").arg(program);
        command
    }

    /// A port of this machine's loopback that leads to an address in the cluster's network: of a pod, of a service, of
    /// what [`Cluster::in_net`] runs.
    pub fn forward(&self, to: SocketAddr) -> Result<TcpProxy> {
        let network = self.network.clone();
        TcpProxy::by(move || network.connect(to))
    }

    /// A port of this machine's loopback that leads to a port of a pod, which has to have an address by now.
    pub fn forward_to_pod(&self, namespace: &str, pod: &str, port: u16) -> Result<TcpProxy> {
        let pod = self.get(["-n", namespace, "pod", pod])?;
        let ip = pod["status"]["podIP"].as_str().context("no address yet")?;
        self.forward(SocketAddr::new(ip.parse()?, port))
    }

    /// Ends a program of the cluster (`apiserver`, `kcm`, `scheduler`, `kubelet`, `etcd`) as a crash would, and keeps
    /// it from coming back before [`Cluster::resume`].
    pub fn stop(&self, program: &str) -> Result<()> {
        fs::write(self.dir.join("hold").join(program), "")?;
        let pid = fs::read_to_string(self.dir.join("pids").join(program))?;
        let mut kill = Command::new(testbed::script("cluster/in"));
        kill.args(["kill", "-KILL", pid.trim()])
            .envs(same_cache())
            .env("KN_RUN", &self.dir);
        tools::run(&mut kill)?.success()?;
        Ok(())
    }

    /// Lets a stopped program start again.
    pub fn resume(&self, program: &str) -> Result<()> {
        Ok(fs::remove_file(self.dir.join("hold").join(program))?)
    }

    /// What a program of the cluster logged: those of [`Cluster::stop`], and `containerd`, `coredns`, `proxy`.
    pub fn log(&self, program: &str) -> Result<String> {
        Ok(fs::read_to_string(
            self.dir.join(format!("log/{program}.log")),
        )?)
    }

    /// Tells a program where the cluster is, and to leave nothing behind elsewhere.
    fn told(&self, command: &mut Command) {
        tools::clean(command);
        command
            .env("KUBECONFIG", self.kubeconfig())
            .env("KUBECACHEDIR", self.dir.join("kubectl"));
        for name in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            command.env(name, self.dir.join("helm"));
        }
    }
}

/// By which the scripts find the cache.
fn same_cache() -> impl Iterator<Item = (&'static str, OsString)> {
    let names = ["HOME", "XDG_CACHE_HOME"].into_iter();
    names.filter_map(|name| Some((name, std::env::var_os(name)?)))
}
