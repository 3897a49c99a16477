//! The pread/pwrite engine of aio: inline at depth 1, a thread pool above
