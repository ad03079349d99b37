//! A slice that several threads write.
#![allow(unsafe_code)]

/// A mutable slice whose disjoint elements several threads write.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shared<T>(*mut T, usize);

// SAFETY: the pointer stems from an exclusive borrow of a slice of `T: Send`; the functions that write through it require
// that no element is written by two threads.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T: Copy> Shared<T> {
    pub(crate) fn new(slice: &mut [T]) -> Self {
        Self(slice.as_mut_ptr(), slice.len())
    }

    /// Sets the elements named by `places` to `value`.
    ///
    /// # Safety
    /// The slice must be borrowed for the call, `places` must lie in it, and no other thread may touch them.
    pub(crate) unsafe fn set_all(self, places: &[u32], value: T) {
        for &place in places {
            debug_assert!((place as usize) < self.1);
            // SAFETY: the caller's promise.
            unsafe { *self.0.add(place as usize) = value };
        }
    }

    /// Sets one element.
    ///
    /// # Safety
    /// As for [`set_all`](Self::set_all).
    #[inline(always)]
    pub(crate) unsafe fn set(self, place: usize, value: T) {
        debug_assert!(place < self.1);
        // SAFETY: the caller's promise.
        unsafe { *self.0.add(place) = value };
    }
}
