//! What a person or a script expects of any command line.

use std::ffi::OsStr;
use std::path::Path;

use ksnapshot_tests::tools::{self, Run};
use ksnapshot_tests::{Ksnapshot, binary};

/// Runs a script with ksnapshot first in `PATH`, in `folder`.
fn bash(script: &str, folder: &Path) -> Run {
    let binary = binary().unwrap();
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", binary.parent().unwrap().display());
    let mut command = tools::bash(&format!("set -euo pipefail\n{script}"), &[] as &[&OsStr]);
    tools::clean(&mut command);
    tools::run(command.current_dir(folder).env("PATH", path)).unwrap()
}

/// Every command, as the help lists them.
fn commands() -> Vec<String> {
    let help = Ksnapshot::new(["--help"])
        .run()
        .unwrap()
        .success()
        .unwrap()
        .text();
    let list = help.split("Commands:").nth(1).unwrap();
    let lines = list
        .lines()
        .skip(1)
        .take_while(|line| line.starts_with("  "));
    // A long description goes on in the next line.
    let lines = lines.filter(|line| !line.starts_with("   "));
    let names = lines.filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(ToOwned::to_owned)
        .collect()
}

#[test]
fn bash_completes_commands_and_options() {
    let folder = tempfile::tempdir().unwrap();
    let script = r#"
        ksnapshot completions bash >completions
        source ./completions
        complete() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _ksnapshot ksnapshot "${!#}" "${@: -2:1}"; echo "${COMPREPLY[*]}"; }
        complete ksnapshot ver
        complete ksnapshot dump --recip
        complete ksnapshot verify --level ''
    "#;
    let run = bash(script, folder.path()).success().unwrap();
    let text = run.text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines, ["verify", "--recipient", "checksum decode restore"]);
    for shell in ["zsh", "fish", "powershell", "elvish"] {
        let run = Ksnapshot::new(["completions", shell])
            .run()
            .unwrap()
            .success()
            .unwrap();
        assert!(run.text().contains("recipient"), "{shell}");
    }
}

#[test]
fn every_page_of_the_manual_can_be_set() {
    let folder = tempfile::tempdir().unwrap();
    let script = "ksnapshot man --output pages; ls pages; groff -man -Tutf8 -ww -z pages/*.1; ksnapshot man dump | groff -man -Tascii";
    let run = bash(script, folder.path()).success().unwrap();
    assert!(run.stderr.is_empty(), "groff warns: {}", run.stderr);
    for command in commands() {
        let page = format!("ksnapshot-{command}.1\n");
        assert!(run.text().contains(&page), "{page}");
    }
    assert!(run.text().contains("--recipient"));
    let unknown = Ksnapshot::new(["man", "dmup"])
        .run()
        .unwrap()
        .exits(2)
        .unwrap();
    assert!(
        unknown.stderr.contains("dmup: no such command"),
        "{unknown:?}"
    );
}

#[test]
fn every_command_is_taught_by_examples() {
    for command in commands() {
        let help = Ksnapshot::new([&command, "--help"])
            .run()
            .unwrap()
            .success()
            .unwrap();
        let text = help.text();
        assert!(text.contains("Example"), "{command}");
        let examples = text
            .lines()
            .filter(|line| line.contains(&format!("ksnapshot {command}")));
        assert!(examples.count() >= 1, "{command}: {text}");
        let short = Ksnapshot::new([&command, "-h"])
            .run()
            .unwrap()
            .success()
            .unwrap();
        assert!(short.text().len() < text.len(), "{command}");
    }
}

#[test]
fn what_is_nearly_right_is_told() {
    let cases: [(&[&str], &str); 3] = [
        (&["verfy", "x"], "'verify'"),
        (&["dump", "--recipent", "x"], "'--recipient'"),
        (&["verify", "x", "--level", "decod"], "'decode'"),
    ];
    for (args, near) in cases {
        let run = Ksnapshot::new(args).run().unwrap().exits(2).unwrap();
        assert!(run.stderr.contains(near), "{run:?}");
    }
    let cases: [(&[&str], u8, &str); 3] = [
        (
            &["dump", "postgers://h/d", "--to", "x"],
            2,
            "Did you mean postgres://?",
        ),
        (&["list", "s4://bucket"], 2, "Did you mean s3://?"),
        (
            &["verify", "store", "--name", "nihgt"],
            10,
            "Did you mean night?",
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    let dump = "ksnapshot dump command --name night --to store -- seq 1 10";
    bash(dump, folder.path()).success().unwrap();
    for (args, code, near) in cases {
        let line = format!("ksnapshot {}", args.join(" "));
        let run = bash(&line, folder.path()).exits(code.into()).unwrap();
        assert!(run.stderr.contains(near), "{run:?}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let script = "
        ksnapshot dump command --to store -- seq 1 3000000 2>/dev/null
        ksnapshot cat store | head -n 3
        ksnapshot list store | head -n 1 | cut -c 1-2
        ksnapshot dump --help | head -n 1 >/dev/null
        ksnapshot man dump | head -n 1 >/dev/null";
    let run = bash(script, folder.path()).success().unwrap();
    let text = run.text();
    assert!(text.ends_with("1\n2\n3\nID\n"), "{run:?}");
    assert!(
        !run.stderr.contains("panicked") && !run.stderr.contains("error"),
        "{run:?}"
    );
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let folder = tempfile::tempdir().unwrap();
    let terminal = |env: &str, command: &str| {
        let script = format!("{env} TERM=xterm script -qec '{command}' /dev/null </dev/null");
        bash(&script, folder.path()).text()
    };
    let colours = |text: &str| text.contains("\u{1b}[1m") || text.contains("\u{1b}[4m");
    assert!(colours(&terminal("", "ksnapshot --help")));
    assert!(!colours(&terminal("NO_COLOR=1", "ksnapshot --help")));
    assert!(!colours(&bash("ksnapshot --help", folder.path()).text()));
    // Bars only on a terminal, and never on stdout.
    let dump = "ksnapshot dump command --to store -- bash -c \"seq 1 2000000; sleep 1\"";
    assert!(
        terminal("", dump).contains("\u{1b}["),
        "a bar moves the cursor"
    );
    let plain = bash(dump, folder.path()).success().unwrap();
    assert!(
        !plain.stderr.contains('\u{1b}') && !plain.text().contains('\u{1b}'),
        "{plain:?}"
    );
    assert_eq!(plain.text().trim().len(), 8, "stdout is the id alone");
}
