//! What holds for every payload, whatever its bytes.

use serde_json::value::RawValue;
use socket_io_redis_native::codec::{EncodeError, MAX_DEPTH};
use socket_io_redis_native::store::wire::{Codec, Shape, decode, encode};
use socket_io_redis_native::store::{Args, Incoming, NodeId};

/// Reads the payload in both shapes, and what comes out again in both codecs.
pub fn check(payload: &[u8]) {
    let own = NodeId::Number(1.0);
    let any = decode(payload, Shape::Any, &own);
    let dispatch = decode(payload, Shape::Dispatch, &own);
    match (any, dispatch) {
        (Err(a), Err(b)) => assert_eq!(a, b),
        (Ok(Incoming::Own), Ok(Incoming::Own)) => {}
        (Ok(Incoming::Foreign(Args::Json(text))), Ok(Incoming::Foreign(args))) => {
            is_json_array(&text);
            comes_back(&text);
            matches_text(&args, &text);
        }
        (any, dispatch) => panic!("{any:?} but {dispatch:?}"),
    }
}

fn is_json_array(text: &str) -> Vec<&RawValue> {
    assert!(text.starts_with('[') && text.ends_with(']'), "{text}");
    serde_json::from_str(text).expect("JSON text of an array")
}

fn matches_text(args: &Args<'_>, text: &str) {
    match args {
        Args::Json(same) => assert_eq!(same, text),
        Args::Dispatch { room, packet, volatile, exceptions } => {
            let parts = is_json_array(text);
            assert_eq!(parts.len(), 4);
            assert_eq!(
                serde_json::from_str::<String>(parts[0].get()).as_ref().ok(),
                Some(&room.to_string())
            );
            assert_eq!(
                serde_json::from_str::<String>(parts[1].get()).as_ref().ok(),
                Some(&packet.to_string())
            );
            assert_eq!(serde_json::from_str::<Option<bool>>(parts[2].get()).ok(), Some(*volatile));
            assert_eq!(exceptions.is_empty(), is_json_array(parts[3].get()).is_empty());
        }
    }
}

/// Written again and read by another node, in JSON it is the same text, and in MessagePack what
/// JavaScript would print: once that is so, it stays so.
fn comes_back(text: &str) {
    let reader = NodeId::Number(3.0);
    let again = |codec, text: &str| -> Option<String> {
        let payload = match encode(codec, "2", text) {
            Ok(payload) => payload,
            Err(EncodeError::Depth) => return None,
            Err(error) => panic!("{error}: {text}"),
        };
        match decode(&payload, Shape::Any, &reader) {
            Ok(Incoming::Foreign(Args::Json(text))) => Some(text.into_owned()),
            other => panic!("{other:?} for {text} (at most {MAX_DEPTH} deep)"),
        }
    };
    assert_eq!(again(Codec::Json, text).as_deref(), Some(text));
    if let Some(printed) = again(Codec::MessagePack, text) {
        assert_eq!(again(Codec::MessagePack, &printed), Some(printed));
    }
}
