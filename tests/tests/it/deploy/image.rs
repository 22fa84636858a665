//! The image, made of the same list of files as by deploy/Containerfile, without a container engine.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use ksnapshot_tests::{binary, tools};

use super::{deploy, read};

#[test]
fn the_image_holds_all_that_the_program_needs_and_no_shell() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    tools::run(
        Command::new(deploy("image-root"))
            .arg(binary().unwrap())
            .arg(&root),
    )
    .unwrap()
    .success()
    .unwrap();
    // As the user that it's for, with nothing of this machine within reach.
    let mut chroot = Command::new("/usr/sbin/chroot");
    chroot.arg("--userspec=65532:65532").arg(&root);
    chroot.args(["/usr/bin/ksnapshot", "--version"]).env_clear();
    let run = tools::run(&mut chroot).unwrap().success().unwrap();
    assert!(run.text().starts_with("ksnapshot "), "{run:?}");

    let mut programs = Vec::new();
    for file in tools::files(&root).unwrap() {
        let path = file.strip_prefix(&root).unwrap().display().to_string();
        let kind = fs::symlink_metadata(&file).unwrap();
        assert!(kind.is_file(), "{path}");
        assert_eq!(kind.permissions().mode() & 0o6000, 0, "{path}: setuid");
        if kind.permissions().mode() & 0o111 != 0 && !path.contains(".so") {
            programs.push(path);
        }
    }
    assert_eq!(programs, ["usr/bin/ksnapshot"]);
    for path in [
        "etc/ssl/certs/ca-certificates.crt",
        "usr/share/zoneinfo/Europe/Paris",
        "usr/share/zoneinfo/UTC",
    ] {
        assert!(root.join(path).is_file(), "{path}");
    }
    let mode = fs::metadata(root.join("tmp")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o1777, "/tmp is for everybody");
}

#[test]
fn the_containerfile_makes_the_same_image() {
    let text = read("Containerfile");
    let toolchain = fs::read_to_string(deploy("../rust-toolchain.toml")).unwrap();
    let channel = toolchain.split('"').nth(1).unwrap();
    for line in [
        &format!("FROM --platform=$BUILDPLATFORM rust:{channel}-bookworm AS build"),
        "    deploy/image-root /ksnapshot /image /runtime /",
        "FROM scratch",
        "COPY --from=image /image /",
        "USER 65532:65532",
        "ENTRYPOINT [\"/usr/bin/ksnapshot\"]",
    ] {
        assert!(text.lines().any(|other| other == line), "{line}");
    }
}

#[test]
fn what_is_taken_of_another_root_is_of_that_root() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let write = |name: &str| {
        let file = path("other").join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "of the other root").unwrap();
    };
    // As Debian has them for another machine: the loader is a link to /…, which is this machine's outside of a chroot.
    write("usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1");
    for library in ["libc.so.6", "libm.so.6", "libgcc_s.so.1"] {
        write(&format!("usr/lib/aarch64-linux-gnu/{library}"));
    }
    fs::create_dir(path("other/lib")).unwrap();
    symlink(
        "/usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1",
        path("other/lib/ld-linux-aarch64.so.1"),
    )
    .unwrap();
    let mut image_root = Command::new(deploy("image-root"));
    image_root.args(["/bin/true".into(), path("image"), path("other"), "/".into()]);
    tools::run(&mut image_root).unwrap().success().unwrap();
    for file in [
        "lib/ld-linux-aarch64.so.1",
        "usr/lib/aarch64-linux-gnu/libc.so.6",
    ] {
        let text = fs::read_to_string(path("image").join(file)).unwrap();
        assert_eq!(text, "of the other root", "{file}");
    }
    // What doesn't depend on the machine comes from here, and nothing else does.
    assert!(path("image/etc/ssl/certs/ca-certificates.crt").is_file());
    assert!(!path("image/lib64").exists());

    fs::remove_file(path("other/lib/ld-linux-aarch64.so.1")).unwrap();
    let mut image_root = Command::new(deploy("image-root"));
    image_root.args(["/bin/true".into(), path("again"), path("other")]);
    let run = tools::run(&mut image_root).unwrap().exits(1).unwrap();
    assert!(run.stderr.contains("no /lib*/ld-linux-"), "{run:?}");
}
