//! A checkout with fake tools. Every process that must be gone at the end writes its number into the file `processes`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A quickstart that tells what the real one would.
pub(crate) const RIGHT_JOB: &str = r#"
echo $$ quickstart >> processes
echo '{"type":"stage","name":"Contracts in"}'
echo '{"type":"progress","stage":"upload","done":10,"total":20,"unit":"bytes"}'
echo '{"type":"table","rows":[
{"entity":"CLM integration contract","direction":"CLM → SCM","sent":5000,"imported":5000,"exported":null,"changed":null,"incremental":null,"ms":1500,"ok":true},
{"entity":"Vendors V2","direction":"SCM → CLM","sent":null,"imported":null,"exported":20000,"changed":4,"incremental":4,"ms":1,"ok":true}]}' | tr -d '\n'
echo
"#;

/// A quickstart that never ends, with a child of its own.
pub(crate) const ENDLESS_JOB: &str = r#"
echo $$ quickstart >> processes
sleep 300 &
echo $! child >> processes
wait; wait
sleep 300
"#;

/// The sandbox gets ready, with a child that stands for its storage.
pub(crate) const START: &str = r#"sleep 300 & echo $! storage >> processes; echo $$ sandbox >> processes; echo '{"baseUrl":"http://127.0.0.1:1"}'"#;

/// Ends when its input does, as the real one.
fn good_sandbox() -> String {
    format!("{START}; child=$!; cat > /dev/null; kill $child")
}

/// Scripts are written and run; a fork of another test in between would make the file busy.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

pub(crate) struct Checkout {
    root: PathBuf,
    _turn: MutexGuard<'static, ()>,
}

pub(crate) struct Demo(Child);

pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    /// Of both streams, stdout first.
    pub(crate) output: String,
}

impl Checkout {
    /// `quickstart` is the body of a shell script, run in the checkout.
    pub(crate) fn new(quickstart: &str) -> Checkout {
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("checkout-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        let checkout = Checkout { root, _turn: turn };
        checkout.fill(quickstart);
        checkout
    }

    fn fill(&self, quickstart: &str) {
        for file in [
            "Cargo.lock",
            "package-lock.json",
            "LICENSE-MIT",
            "LICENSE-APACHE",
            "pkg-template/README.md",
            "pkg-template/scripts/inline.mjs",
            "pkg-template/tsconfig.json",
            "examples/node-quickstart/tsconfig.json",
            "examples/node-quickstart/seed.mjs",
            "xtask/src/bin/bindgen.rs",
            "libdir/core.rlib",
            "tmp/.keep",
            "processes",
            "node_modules/.package-lock.json",
            "node_modules/typescript/bin/tsc",
            "node_modules/binaryen/bin/wasm-opt",
            "node_modules/azurite/dist/src/blob/main.js",
        ] {
            self.write(file, "");
        }
        self.write("pkg-template/package.json", r#"{"name":"d365-clm","version":"0.0.0"}"#);
        self.write("xtask/system-packages.txt", include_str!("../../system-packages.txt"));
        self.write("quickstart.sh", quickstart);
        self.script("bin/rustc", "echo \"$PWD/libdir\"");
        self.script("bin/cargo", "exit 0");
        for module in ["package", "core", "excel"] {
            self.write(&format!("target/wasm32-unknown-unknown/release/module_{module}.wasm"), "");
        }
        self.script(
            "target/tools/xtask-bindgen",
            "printf '\\0asm\\001\\0\\0\\0' | tee $2/$3_bg.wasm > $2/$3.js",
        );
        self.script(
            "bin/node",
            r#"
case "$1" in
  --version) echo v20.1.0 ;;
  */wasm-opt) for last; do case "$last" in *_bg.wasm) from=$last ;; esac; done; cp "$from" "$last" ;;
  */inline.mjs) cp "$2" "$3" ;;
  */tsc) while [ "$1" != --outDir ]; do shift; done; mkdir -p "$2"; touch "$2/node.js" ;;
  */seed.mjs) touch "$2/VendorsV2.ndjson" ;;
  */quickstart/node.js) test -f "$D365_SEED/VendorsV2.ndjson" && test -n "$D365_SANDBOX" && exec sh quickstart.sh ;;
  *) echo "unexpected: node $*" >&2; exit 9 ;;
esac"#,
        );
        self.script("browser/chromium", "exit 1");
        self.script("browser/chromedriver", "exit 1");
        self.set_sandbox(&good_sandbox());
    }

    pub(crate) fn set_sandbox(&self, body: &str) {
        self.script("target/debug/d365-sandbox", body);
    }

    pub(crate) fn demo(&self) -> Demo {
        let path = format!("{}:/usr/bin:/bin", self.root.join("bin").display());
        let child = Command::new(env!("CARGO_BIN_EXE_xtask"))
            .arg("demo")
            .current_dir(&self.root)
            .env("CARGO_MANIFEST_DIR", self.root.join("xtask"))
            .env("CARGO_TARGET_DIR", self.root.join("target"))
            .env("TMPDIR", self.root.join("tmp"))
            .env("PATH", path)
            .env("CHROMIUM", self.root.join("browser/chromium"))
            .env("CHROMEDRIVER", self.root.join("browser/chromedriver"))
            .env_remove("CI")
            .env_remove("XTASK_WASM_TOOLCHAIN")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Demo(child)
    }

    pub(crate) fn wait_for_processes(&self, count: usize) {
        let start = Instant::now();
        while self.processes().len() < count {
            assert!(start.elapsed() < Duration::from_secs(60), "only {:?} were started", self.processes());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn assert_nothing_is_left(&self) {
        let processes = self.processes();
        let alive: Vec<_> = processes.iter().filter(|(pid, _)| is_alive(*pid)).collect();
        assert!(alive.is_empty(), "still running: {alive:?}");
        let folders: Vec<_> =
            fs::read_dir(self.root.join("tmp")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(folders, [".keep"], "left in the folder for temporary files");
    }

    pub(crate) fn sandbox_is_running(&self) -> bool {
        self.processes().iter().any(|(pid, name)| name == "sandbox" && is_alive(*pid))
    }

    pub(crate) fn end_leftovers(&self) {
        for (pid, _) in self.processes() {
            let _ = kill(pid, Signal::SIGKILL);
        }
    }

    fn processes(&self) -> Vec<(Pid, String)> {
        let text = fs::read_to_string(self.root.join("processes")).unwrap();
        let line = |line: &str| {
            let (pid, name) = line.split_once(' ')?;
            Some((Pid::from_raw(pid.parse().ok()?), name.to_owned()))
        };
        text.lines().filter_map(line).collect()
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn script(&self, file: &str, body: &str) {
        self.write(file, &format!("#!/bin/sh\n{body}\n"));
        fs::set_permissions(self.root.join(file), fs::Permissions::from_mode(0o755)).unwrap();
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        self.end_leftovers();
        let _ = fs::remove_dir_all(&self.root);
    }
}

impl Demo {
    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.0.id().try_into().unwrap()), signal).unwrap();
    }

    /// Ends it the hard way. Its output is not read: an orphan may still hold the other end.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    pub(crate) fn end(self) -> Ended {
        let output = self.0.wait_with_output().unwrap();
        let both = [output.stdout, output.stderr].concat();
        Ended { code: output.status.code(), output: String::from_utf8_lossy(&both).into_owned() }
    }
}

/// A process that has ended but was not waited for (by whoever inherited it) counts as gone.
fn is_alive(pid: Pid) -> bool {
    kill(pid, None).is_ok()
        && fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| !stat.contains(") Z "))
}
