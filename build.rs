//! Lets the linker know that Node brings the `napi_*` symbols.

fn main() {
    napi_build::setup();
}
