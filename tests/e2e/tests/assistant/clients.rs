//! The door: who gets in, who does not, and how many kernels a place has.

use crate::support::{kit, run};
use butterfly_client::ConnectError;
use butterfly_kit::harness::{Instance, Which, program, settle, status};
use butterfly_wire::limits::SOCKET_PATH_BYTES;
use butterfly_wire::place::Place;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::Arc;

#[test]
fn folders_and_socket_are_the_owners_alone() {
    run(async {
        let (instance, _bus) = kit().await?;
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        for folder in [&instance.place.runtime, &instance.place.state, &instance.place.data] {
            assert_eq!(mode(folder), 0o700, "{}", folder.display());
        }
        assert_eq!(mode(&instance.place.socket()), 0o600);
        assert_eq!(mode(&instance.place.token()), 0o600);
        Ok(())
    });
}

#[test]
fn a_wrong_token_is_refused_with_a_reason() {
    run(async {
        let (instance, _bus) = kit().await?;
        std::fs::write(instance.place.token(), [0; 32])?;
        let Err(refused) = butterfly_client::connect(&instance.place).await else { panic!("let in") };
        assert!(matches!(&refused, ConnectError::Refused(failure) if failure.message.contains("token")), "{refused}");
        Ok(())
    });
}

#[test]
fn another_user_is_refused_even_where_the_folder_is_open() {
    if !nix::unistd::geteuid().is_root() {
        println!("not testable here: only root can act as another user");
        return;
    }
    run(async {
        let (instance, bus) = kit().await?;
        // A careless owner opens everything up; the token is known, too.
        for (path, mode) in [
            (instance.home.path().to_owned(), 0o755),
            (instance.place.runtime.clone(), 0o755),
            (instance.place.socket(), 0o666),
            (instance.place.token(), 0o644),
        ] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
        }
        let script = r#"
import socket, struct, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.settimeout(10)
payload = b"BFLY" + struct.pack("<HHB", 1, 1, 0) + open(sys.argv[2], "rb").read()
header = struct.pack("<BBHHHQQQQIIQ", 0, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0)
try: # A refusal may come before a word was said.
    s.sendall(struct.pack("<I", len(header) + len(payload)) + header + payload)
    got = s.recv(4096)
except ConnectionError: got = b""
sys.exit(0 if got else 7)
"#;
        let attempt = |uid: u32| {
            let mut command = Command::new("python3");
            command.arg("-c").arg(script).arg(instance.place.socket()).arg(instance.place.token());
            std::os::unix::process::CommandExt::uid(&mut command, uid);
            command.status().unwrap().code()
        };
        assert_eq!(attempt(0), Some(0), "the owner is let in, so the script is right");
        assert_eq!(attempt(65534), Some(7), "a stranger is not");
        status(&bus).await?;
        Ok(())
    });
}

#[test]
fn a_second_kernel_says_that_one_runs_and_where() {
    run(async {
        let (instance, _bus) = kit().await?;
        let second = Command::new(program("kit_kernel")?).arg("--home").arg(instance.home.path()).output()?;
        assert!(!second.status.success());
        let text = String::from_utf8_lossy(&second.stderr);
        assert!(text.contains("runs already") && text.contains(&instance.kernel_pid().to_string()), "{text}");
        assert!(text.contains("kernel.sock"), "{text}");
        let production = Command::new(program("butterfly-kernel")?).arg("--home").arg(instance.home.path()).output()?;
        assert_eq!(production.status.code(), Some(3));
        Ok(())
    });
}

#[test]
fn a_stale_socket_is_reclaimed_and_a_living_one_is_not() {
    run(async {
        let (mut instance, _bus) = kit().await?;
        instance.kill_kernel()?;
        assert!(instance.place.socket().exists(), "a crash leaves the socket behind");
        let home = tempfile::tempdir()?;
        let place = Place::under(home.path());
        std::fs::create_dir_all(&place.runtime)?;
        drop(std::os::unix::net::UnixListener::bind(place.socket())?);
        let successor = Instance::launch(Which::Kit, Arc::new(home), &[], &[])?;
        settle(&successor.connect().await?).await?;
        let home = tempfile::tempdir()?;
        let place = Place::under(home.path());
        std::fs::create_dir_all(&place.runtime)?;
        let _living = std::os::unix::net::UnixListener::bind(place.socket())?;
        let refused = Command::new(program("kit_kernel")?).arg("--home").arg(home.path()).output()?;
        assert!(!refused.status.success());
        assert!(String::from_utf8_lossy(&refused.stderr).contains("somebody answers"));
        assert!(place.socket().exists(), "the living socket was left alone");
        Ok(())
    });
}

#[test]
fn a_long_path_gets_a_short_socket() {
    run(async {
        let outer = tempfile::tempdir()?;
        let deep = outer.path().join("d".repeat(120));
        std::fs::create_dir(&deep)?;
        let home = tempfile::tempdir_in(&deep)?;
        let instance = Instance::launch(Which::Kit, Arc::new(home), &[], &[])?;
        assert!(instance.place.socket().as_os_str().len() <= SOCKET_PATH_BYTES);
        let bus = instance.connect().await?;
        assert_eq!(settle(&bus).await?.kernel.socket, instance.place.socket().display().to_string());
        Ok(())
    });
}
