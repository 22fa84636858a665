//! libFuzzer, with the law that `KSNAPSHOT_LAW` names. Its arguments are libFuzzer's.

#![no_main]

mod laws;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

/// An input of 8 KiB may be a frame of so many zeros; nothing else has a reason to be as large.
const LARGEST: usize = 256 << 20;

/// Refuses what only somebody asks for who believes a lie about a size. libFuzzer's own limit needs a sanitizer.
struct Wary;

// SAFETY: every call goes to the system's allocator as it came, or the process ends.
unsafe impl GlobalAlloc for Wary {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        check(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        check(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        check(size);
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn check(size: usize) {
    assert!(size <= LARGEST, "{size} bytes of memory at once");
}

#[global_allocator]
static MEMORY: Wary = Wary;

fuzz_target!(|data: &[u8]| {
    static LAW: OnceLock<laws::Law> = OnceLock::new();
    let law = LAW.get_or_init(|| {
        let name = std::env::var("KSNAPSHOT_LAW").unwrap_or_default();
        let found = laws::LAWS.iter().find(|(known, _)| *known == name);
        found.unwrap_or_else(|| panic!("no such law: {name:?}")).1
    });
    law(data);
});
