//! Endpoints as they cross from JavaScript.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::items_after_statements
)]

use socket_io_redis_native::connection::{Backoff, Endpoint};

fn read(json: &str) -> Endpoint {
    Endpoint::from_json(json).unwrap()
}

#[test]
fn defaults_to_the_local_redis() {
    let endpoint = read("{}");
    assert_eq!(endpoint, Endpoint::default());
    assert_eq!(endpoint.to_string(), "localhost:6379");
    assert_eq!(endpoint.db, 0);
}

#[test]
fn reads_what_javascript_writes() {
    let endpoint = read(
        r#"{"host":"redis.local","port":7000,"path":null,"username":"me","password":"pässword","db":3,
            "tls":{"ca":["PEM"],"cert":null,"key":null,"servername":"other","rejectUnauthorized":false}}"#,
    );
    assert_eq!(endpoint.username.as_deref(), Some("me"));
    assert_eq!(endpoint.password.as_deref(), Some("pässword"));
    assert_eq!((endpoint.port, endpoint.db), (7000, 3));
    let tls = endpoint.tls.unwrap();
    assert_eq!(tls.ca, ["PEM"]);
    assert_eq!(tls.servername.as_deref(), Some("other"));
    assert!(!tls.reject_unauthorized);
    assert!(read(r#"{"tls":{}}"#).tls.unwrap().reject_unauthorized);
}

#[test]
fn is_shown_without_credentials() {
    let endpoint = read(r#"{"host":"::1","port":1,"username":"me","password":"secret"}"#);
    assert_eq!(endpoint.to_string(), "[::1]:1");
    assert_eq!(read(r#"{"path":"/tmp/redis.sock"}"#).to_string(), "/tmp/redis.sock");
}

#[test]
fn the_same_server_whatever_the_database() {
    let plain = read(r#"{"host":"a"}"#);
    assert!(plain.same_server(&read(r#"{"host":"a","db":5}"#)));
    for other in [
        r#"{"host":"b"}"#,
        r#"{"host":"a","port":1}"#,
        r#"{"host":"a","path":"/s"}"#,
        r#"{"host":"a","username":"u"}"#,
        r#"{"host":"a","password":"p"}"#,
        r#"{"host":"a","tls":{}}"#,
    ] {
        assert!(!plain.same_server(&read(other)), "{other}");
    }
}

#[test]
fn refuses_what_is_no_endpoint() {
    for json in ["", "5", r#"{"port":70000}"#, r#"{"host":5}"#, r#"{"db":"x"}"#] {
        assert!(Endpoint::from_json(json).is_err(), "{json}");
    }
}

#[test]
fn pauses_grow_from_50_ms_to_2_s_and_never_end() {
    let mut backoff = Backoff::new();
    let mut longest = 0;
    for expected in 1..=1000 {
        let (attempt, pause) = backoff.next_pause();
        assert_eq!(attempt, expected);
        let pause = pause.as_millis();
        assert!((50..=2000).contains(&pause), "{pause}");
        longest = longest.max(pause);
    }
    assert!(longest > 1000);
    let (_, first) = Backoff::new().next_pause();
    assert!(first.as_millis() <= 100);
}
