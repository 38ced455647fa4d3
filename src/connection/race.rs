//! Opens a TCP connection to whichever of a host's addresses answers first (RFC 8305).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::sleep;
use tokio_stream::StreamExt;

/// How long an attempt is alone before the next one starts beside it.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Connects to `host`, which is a name or an address; to one of `known`, if there are any.
///
/// # Errors
/// The resolver's error; that of the only address; or one that lists what each address said.
pub(super) async fn connect(host: &str, port: u16, known: &[IpAddr]) -> io::Result<TcpStream> {
    let addresses = match known {
        [] => lookup_host((host, port)).await?.collect(),
        known => known.iter().map(|&address| SocketAddr::new(address, port)).collect(),
    };
    first_to_answer(interleave(addresses), ATTEMPT_DELAY).await
}

/// Families take turns, beginning with the one that the resolver prefers.
fn interleave(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let total = addresses.len();
    let family = addresses.first().map(SocketAddr::is_ipv4);
    let (preferred, other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| Some(address.is_ipv4()) == family);
    let (mut preferred, mut other) = (preferred.into_iter(), other.into_iter());
    let pairs = std::iter::repeat_with(|| [preferred.next(), other.next()]);
    pairs.take(total).flatten().flatten().collect()
}

/// Starts an attempt whenever one fails, or none has succeeded for `delay`; drops the losers.
async fn first_to_answer(addresses: Vec<SocketAddr>, delay: Duration) -> io::Result<TcpStream> {
    let mut waiting = addresses.into_iter();
    let mut attempts = FuturesUnordered::new();
    let mut failures = Vec::new();
    loop {
        if let Some(address) = waiting.next() {
            attempts.push(async move { (address, TcpStream::connect(address).await) });
        }
        tokio::select! {
            biased;
            attempt = attempts.next() => match attempt {
                Some((_, Ok(stream))) => return Ok(stream),
                Some((address, Err(error))) => failures.push((address, error)),
                None => return Err(all_failed(failures)),
            },
            () = sleep(delay), if waiting.len() > 0 => {}
        }
    }
}

fn all_failed(mut failures: Vec<(SocketAddr, io::Error)>) -> io::Error {
    if failures.len() > 1 {
        let kind = failures.first().map_or(io::ErrorKind::Other, |(_, error)| error.kind());
        let list: Vec<_> = failures.iter().map(|(at, error)| format!("{at}: {error}")).collect();
        return io::Error::new(kind, list.join(", "));
    }
    let only = failures.pop().map(|(_, error)| error);
    only.unwrap_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the name has no address"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use socket2::{Domain, Socket, Type};
    use tokio::time::timeout;

    use super::*;

    /// As long as a connection may take to open.
    const OPEN_TIMEOUT: Duration = Duration::from_secs(5);
    /// What does not wait for this goes on at once.
    const NEVER: Duration = Duration::from_secs(3600);

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    /// A socket, and its address.
    type Bound = (Socket, SocketAddr);

    /// Refuses connections: it holds a port, and does not listen.
    fn refusing() -> Bound {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&address("127.0.0.1:0").into()).unwrap();
        let at = socket.local_addr().unwrap().as_socket().unwrap();
        (socket, at)
    }

    fn answering() -> Bound {
        let (socket, at) = refusing();
        socket.listen(1).unwrap();
        (socket, at)
    }

    async fn race(addresses: &[SocketAddr], delay: Duration) -> io::Result<SocketAddr> {
        let race = first_to_answer(addresses.to_vec(), delay);
        timeout(OPEN_TIMEOUT, race).await?.and_then(|stream| stream.peer_addr())
    }

    #[test]
    fn families_take_turns() {
        for (resolved, expected) in [
            ("", ""),
            ("1.1.1.1:1 2.2.2.2:1", "1.1.1.1:1 2.2.2.2:1"),
            (
                "[::1]:1 [::2]:1 [::3]:1 1.1.1.1:1 2.2.2.2:1",
                "[::1]:1 1.1.1.1:1 [::2]:1 2.2.2.2:1 [::3]:1",
            ),
            ("1.1.1.1:1 [::1]:1 [::2]:1", "1.1.1.1:1 [::1]:1 [::2]:1"),
        ] {
            let ordered = interleave(resolved.split_whitespace().map(address).collect());
            assert_eq!(ordered, expected.split_whitespace().map(address).collect::<Vec<_>>());
        }
    }

    #[tokio::test]
    async fn the_next_address_follows_a_refusal_at_once() {
        let ((_one, one), (_two, two), (_three, three)) = (refusing(), refusing(), answering());
        assert_eq!(race(&[one, two, three], NEVER).await.unwrap(), three);
    }

    #[tokio::test]
    async fn an_only_address_keeps_its_error() {
        let (_socket, at) = refusing();
        let error = race(&[at], NEVER).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert!(error.raw_os_error().is_some());
    }

    #[tokio::test]
    async fn several_addresses_list_their_errors() {
        let ((_one, one), (_two, two)) = (refusing(), refusing());
        let error = race(&[one, two], NEVER).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        let text = error.to_string();
        let (first, second) = text.split_once(", ").unwrap();
        assert!(first.starts_with(&format!("{one}: ")), "{text}");
        assert!(second.starts_with(&format!("{two}: ")), "{text}");
    }

    #[tokio::test]
    async fn no_address_is_an_error() {
        assert_eq!(race(&[], NEVER).await.unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    /// Elsewhere a full queue refuses, and there is no second loopback address.
    #[cfg(target_os = "linux")]
    mod black_holes {
        use std::net::TcpStream as Client;
        use std::process::Command;
        use std::{env, fs};

        use super::super::super::{Endpoint, stream};
        use super::*;

        const NAME: &str = "two-addresses.test";

        /// Leaves SYNs unanswered, for its queue is full.
        struct BlackHole {
            listener: Socket,
            at: SocketAddr,
            _queued: Vec<Client>,
        }

        fn black_hole() -> BlackHole {
            let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            listener.bind(&address("127.0.0.2:0").into()).unwrap();
            listener.listen(0).unwrap();
            let at = listener.local_addr().unwrap().as_socket().unwrap();
            let connect = || Client::connect_timeout(&at, Duration::from_millis(300)).ok();
            let queued = std::iter::from_fn(connect).collect();
            BlackHole { listener, at, _queued: queued }
        }

        #[tokio::test]
        async fn the_next_address_does_not_wait_for_them() {
            let (one, two, (_three, three)) = (black_hole(), black_hole(), answering());
            assert_eq!(race(&[one.at, two.at, three], ATTEMPT_DELAY).await.unwrap(), three);
        }

        #[tokio::test]
        async fn an_early_attempt_goes_on_beside_later_ones() {
            let (hole, (_socket, refusing)) = (black_hole(), refusing());
            let addresses = [hole.at, refusing];
            // Its first SYN is lost when there is room again; the kernel repeats it.
            let (connected, _) = tokio::join!(race(&addresses, Duration::ZERO), async {
                hole.listener.accept().unwrap()
            });
            assert_eq!(connected.unwrap(), hole.at);
        }

        /// Two addresses behind one name take libnss-wrapper and a process of its own.
        #[test]
        fn streams_are_opened_past_them() {
            const HOSTS: &str = "NSS_WRAPPER_HOSTS";
            if env::var_os(HOSTS).is_some() {
                return opens_a_stream();
            }
            let hosts = env::temp_dir().join(format!("{NAME}.{}", std::process::id()));
            fs::write(&hosts, format!("127.0.0.2 {NAME}\n127.0.0.1 {NAME}\n")).unwrap();
            let (_, module) = module_path!().split_once("::").unwrap();
            let output = Command::new(env::current_exe().unwrap())
                .args([&format!("{module}::streams_are_opened_past_them"), "--exact"])
                .env(HOSTS, &hosts)
                .env("LD_PRELOAD", "libnss_wrapper.so")
                .output()
                .unwrap();
            fs::remove_file(hosts).unwrap();
            let (stdout, stderr) =
                (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            if stderr.contains("cannot be preloaded") && env::var_os("CI").is_none() {
                return eprintln!("skipped: libnss-wrapper is not installed");
            }
            assert!(stdout.contains("1 passed"), "{stdout}{stderr}");
        }

        fn opens_a_stream() {
            let (hole, _listener) = std::iter::repeat_with(black_hole)
                .find_map(|hole| {
                    let twin = std::net::TcpListener::bind(("127.0.0.1", hole.at.port())).ok()?;
                    Some((hole, twin))
                })
                .unwrap();
            let endpoint =
                Endpoint { host: NAME.to_owned(), port: hole.at.port(), ..Endpoint::default() };
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let opened = runtime
                .block_on(async { timeout(OPEN_TIMEOUT, stream::reach(&endpoint, &[])).await });
            opened.unwrap().map(drop).unwrap();
        }
    }
}
