//! The one list of aio's backends, and the choice of one at run time
