//! A plugin in Rust without crates: one task, "hello-rust".
//! The structs are those of perdure/plugin.h, as far as they are used here: each says its own size, so the host reads
//! no further, and what the host hands out may be longer than what is declared.
use std::mem::{size_of, zeroed};
use std::os::raw::c_void;

type Status = i32;
const OK: Status = 0;
const INFO: i32 = 2;

#[repr(C)]
#[derive(Clone, Copy)]
struct Text {
    data: *const u8,
    len: u64,
}

fn text(literal: &'static str) -> Text {
    Text { data: literal.as_ptr(), len: literal.len() as u64 }
}

type TaskFn = unsafe extern "C" fn(*const Attempt) -> Status;

#[repr(C)]
struct Attempt {
    struct_size: u64,
    services: *const Services,
    // more follows
}

#[repr(C)]
struct Services {
    struct_size: u64,
    set_result: unsafe extern "C" fn(*const Attempt, Text) -> Status,
    set_error: *const c_void,
    last_error: *const c_void,
    release: *const c_void,
    log: unsafe extern "C" fn(*const Attempt, i32, Text, Text) -> Status,
    // more follows
}

#[repr(C)]
struct Plugin {
    struct_size: u64,
    abi_minor: u32,
    flags: u32,
    name: Text,
    version: Text,
}

#[repr(C)]
struct Task {
    struct_size: u64,
    id: Text,
    options: Text,
    user: *mut c_void,
    run: Option<TaskFn>,
    hooks: *const c_void,
}

#[repr(C)]
pub struct Registrar {
    struct_size: u64,
    abi_major: u32,
    abi_minor: u32,
    host: *mut c_void,
    plugin: unsafe extern "C" fn(*const Registrar, *const Plugin) -> Status,
    task: unsafe extern "C" fn(*const Registrar, *const Task) -> Status,
    // more follows
}

unsafe extern "C" fn hello(attempt: *const Attempt) -> Status {
    let services = &*(*attempt).services;
    (services.log)(attempt, INFO, text("greeting"), text(r#"{"from":"Rust"}"#));
    (services.set_result)(attempt, text(r#"{"message":"Hello from Rust!"}"#))
}

/// The entry point, called once with a table of the host's.
///
/// # Safety
/// `registrar` is valid during the call.
#[no_mangle]
pub unsafe extern "C" fn perdure_register_v1(registrar: *const Registrar) -> Status {
    let plugin = Plugin {
        struct_size: size_of::<Plugin>() as u64,
        name: text("hello-rust"),
        version: text("1.0.0"),
        ..zeroed()
    };
    match ((*registrar).plugin)(registrar, &plugin) {
        OK => {}
        status => return status,
    }
    let task = Task {
        struct_size: size_of::<Task>() as u64,
        id: text("hello-rust"),
        options: text(r#"{"description":"Greets, from Rust"}"#),
        run: Some(hello),
        ..zeroed()
    };
    ((*registrar).task)(registrar, &task)
}
