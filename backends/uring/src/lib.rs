//! The io_uring engine of aio
