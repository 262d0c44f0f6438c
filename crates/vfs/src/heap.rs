//! Memory that was freed, given back to the machine: `malloc_trim(3)` of the GNU C library, which keeps freed
//! pages that lie between ones in use until somebody asks for them back.
//!
//! Opening a store reads through much that is not needed again. Where the C library is another one nothing is
//! done: others give back by themselves.

/// Gives back what was freed. It costs some milliseconds and holds up whoever allocates meanwhile, so it is for
/// the end of a large piece of work and no hot path.
pub fn give_back_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        unsafe extern "C" {
            fn malloc_trim(pad: usize) -> std::ffi::c_int;
        }
        // SAFETY: it may be called at any time from any thread (MT-Safe), takes no pointer, and touches only
        // memory that nobody owns.
        unsafe { malloc_trim(0) };
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_in_use_stays_as_it_is() {
        let kept: Vec<Vec<u8>> = (0..2_000).map(|n: u32| n.to_le_bytes().repeat(1_000)).collect();
        let freed: Vec<Vec<u8>> = (0..2_000).map(|_| vec![7; 4_000]).collect();
        drop(freed);
        super::give_back_memory();
        for (n, bytes) in (0_u32..).zip(&kept) {
            assert_eq!(*bytes, n.to_le_bytes().repeat(1_000));
        }
    }
}
