//! What vectored requests point to: one vector per tag.
#![expect(unsafe_code, reason = "writes what the kernel may be reading, without a reference to it")]

use std::cell::UnsafeCell;
use std::mem;

/// The vectors of the requests in flight.
///
/// A kernel before 5.5 (`IORING_FEAT_SUBMIT_STABLE`) may read a vector until its request has
/// completed. So the table is made once and does not move; a tag's vector changes only when the tag
/// is free; and like the blocks in flight, the table is leaked with its engine unless it was said
/// that nothing is in flight any more.
pub(crate) struct Vectors(Kept<Box<[UnsafeCell<libc::iovec>]>>);

impl Vectors {
    /// For tags below `tags`.
    pub(crate) fn new(tags: u32) -> Self {
        let empty = libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 };
        Self(Kept::new((0..tags).map(|_| UnsafeCell::new(empty)).collect()))
    }

    /// Makes the vector of the request `tag` say `length_bytes` from `address` on, and says where
    /// it is.
    ///
    /// The tag must be free: a kernel may be reading the vector of a request in flight.
    pub(crate) fn point(
        &mut self,
        tag: u32,
        address: usize,
        length_bytes: u32,
    ) -> *const libc::iovec {
        let vector = self.0.value[tag as usize].get();
        let here = libc::iovec { iov_base: address as *mut _, iov_len: length_bytes as usize };
        // SAFETY: the cell is a part of the table, and the kernel reads it only while a request of
        // this tag is in flight, which is when nobody asks for another.
        unsafe { vector.write(here) };
        vector
    }

    /// Nothing is in flight any more, and nothing will be: the table may go.
    pub(crate) fn let_go(&mut self) {
        self.0.may_go = true;
    }
}

/// A value that is leaked when it is dropped, unless it was said before that it may go.
struct Kept<T: Default> {
    value: T,
    may_go: bool,
}

impl<T: Default> Kept<T> {
    fn new(value: T) -> Self {
        Self { value, may_go: false }
    }
}

impl<T: Default> Drop for Kept<T> {
    fn drop(&mut self) {
        if !self.may_go {
            mem::forget(mem::take(&mut self.value));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    #[test]
    fn what_the_kernel_may_still_read_is_leaked_and_never_freed() {
        for (may_go, owners) in [(false, 2), (true, 1)] {
            let value = Rc::new(());
            let mut kept = Kept::new(Some(Rc::clone(&value)));
            kept.may_go = may_go;
            drop(kept);
            assert_eq!(Rc::strong_count(&value), owners);
        }
        let mut vectors = Vectors::new(1);
        assert!(!vectors.0.may_go, "in doubt it stays");
        vectors.let_go();
        assert!(vectors.0.may_go);
    }

    #[test]
    fn each_tag_has_a_vector_of_its_own_that_does_not_move() {
        let mut vectors = Vectors::new(2);
        let first = vectors.point(0, 4096, 512);
        let second = vectors.point(1, 8192, 1024);
        assert_eq!(vectors.point(0, 12_288, 1), first);
        let [one, two] = &mut vectors.0.value[..] else { panic!("two tags") };
        assert_eq!((one.get().cast_const(), two.get().cast_const()), (first, second));
        let (one, two) = (one.get_mut(), two.get_mut());
        assert_eq!((one.iov_base as usize, one.iov_len), (12_288, 1));
        assert_eq!((two.iov_base as usize, two.iov_len), (8192, 1024));
    }
}
