//! The same with a session and an event loop that run at the same time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::Random;
use super::session::{Filter, Redis, start};
use super::wires::Written;

const BROADCASTS: u32 = 3000;
/// They are in all rooms all the time, and change their mode again and again.
const LASTING: usize = 3;

fn filter(number: u32, random: &mut Random) -> Filter {
    let rooms = (0..number % 3).map(|_| random.below(4)).collect();
    Filter { rooms, except: Vec::new(), volatile: false }
}

#[test]
fn nothing_is_lost_between_a_session_and_an_event_loop() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for seed in 0..6 {
        let (redis, mut javascript) = start(4, false, runtime.handle());
        javascript.acts = false;
        let mut random = Random(seed);
        for socket in 0..LASTING + 3 {
            javascript.add(&mut random);
            (0..4).for_each(|room| javascript.join(socket, room));
        }
        javascript.filters = (0..BROADCASTS).map(|number| filter(number, &mut random)).collect();
        let filters = javascript.filters.clone();
        let done = AtomicBool::new(false);
        let Redis { backplane, .. } = &redis;
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut random = Random(seed ^ 1);
                for (number, filter) in (0..).zip(&filters) {
                    if random.one_in(20) {
                        redis.request(number);
                    }
                    redis.broadcast(number, filter);
                    if random.one_in(5) {
                        backplane.events().wake();
                    }
                }
                backplane.events().wake();
                done.store(true, Ordering::SeqCst);
            });
            // What the session has done last is seen once it has said that it is done.
            while !done.load(Ordering::SeqCst) || javascript.is_due() {
                let _ = javascript.turn(backplane, &mut random);
                let socket = random.below(LASTING + 3);
                match random.below(8) {
                    0 => javascript.change_mode(socket),
                    1 => _ = javascript.unicast(socket),
                    2 if socket >= LASTING => javascript.leave(socket, random.below(4)),
                    3 if socket >= LASTING => javascript.join(socket, random.below(4)),
                    _ => {}
                }
            }
        });
        while javascript.is_due() {
            let _ = javascript.turn(backplane, &mut random);
        }
        assert_eq!(backplane.events().waiting(), 0);
        javascript.check_end();
        for socket in &javascript.sockets[..LASTING] {
            // In order, so none of them twice.
            let redis =
                socket.count(&javascript.wires, |written| matches!(written, Written::Redis(_)));
            assert_eq!(redis, BROADCASTS as usize, "seed {seed}: {socket:?}");
        }
    }
}
