//! The kernel ABI of Linux AIO: structs, five system calls and the completion ring
