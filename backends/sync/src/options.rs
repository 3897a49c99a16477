//! The options behind `sync:`.

use aio_core::engine::{Accepts, Asked, OptionError, OptionSpec, RwFlags};

/// The most pool threads of all engines of a run together.
pub(crate) const POOL_THREADS_MAX: u32 = 1024;

/// Whether requests run on the lane's own thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Inline {
    /// At depth 1 only.
    #[default]
    AtDepthOne,
    /// Always, so that depth 1 is the only one.
    On,
    /// Never: a pool of one thread at depth 1.
    Off,
}

impl Inline {
    /// Whether an engine of `queue_depth` runs inline, as far as it can be opened.
    pub(crate) fn at(self, queue_depth: u32) -> bool {
        match self {
            Self::AtDepthOne => queue_depth == 1,
            Self::On => true,
            Self::Off => false,
        }
    }
}

/// All that was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// `inline`; off where a pool was asked for.
    pub(crate) inline: Inline,
    /// `pool`: the threads of each engine; as many as its queue is deep when it was not named.
    pub(crate) pool: Option<u32>,
    /// Flags of reads and writes.
    pub(crate) flags: RwFlags,
}

/// The options, as they are listed.
pub(crate) const OPTIONS: [OptionSpec; 6] = [
    OptionSpec {
        key: "inline",
        accepts: Accepts::Switch,
        default: "on at depth 1",
        help: "make the calls on the lane's own thread, without a pool",
        since: None,
    },
    OptionSpec {
        key: "pool",
        accepts: Accepts::number(1..=POOL_THREADS_MAX),
        default: "the queue depth",
        help: "threads of each engine, each of which makes one call at a time",
        since: None,
    },
    RwFlags::NOWAIT.spec(),
    RwFlags::HIPRI.spec(),
    RwFlags::DSYNC.spec(),
    RwFlags::DONTCACHE.spec(),
];

/// Reads the options behind `sync:`; nothing means the defaults.
pub(crate) fn parse(options: &str) -> Result<Options, OptionError> {
    let asked = Asked::parse(options, &OPTIONS)?;
    let pool = asked.number("pool");
    let inline = match (asked.switch("inline"), pool) {
        (Some(true), Some(_)) => {
            return Err(OptionError::Conflict(
                "inline=on has no pool, and pool asks for one; leave one of them out".into(),
            ));
        }
        (Some(true), None) => Inline::On,
        (Some(false), _) | (None, Some(_)) => Inline::Off,
        (None, None) => Inline::AtDepthOne,
    };
    Ok(Options { inline, pool, flags: RwFlags::asked(&asked) })
}

impl Options {
    /// Threads in the pool of an engine of `queue_depth`: never more than it has requests.
    pub(crate) fn threads(self, queue_depth: u32) -> u32 {
        self.pool.unwrap_or(queue_depth).min(queue_depth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inline(options: &str) -> Inline {
        parse(options).unwrap().inline
    }

    #[test]
    fn inline_is_on_or_off_or_left_to_the_depth() {
        assert_eq!(parse(""), Ok(Options::default()));
        assert_eq!(inline(""), Inline::AtDepthOne);
        assert_eq!(inline("inline"), Inline::On);
        assert_eq!(inline("inline=on"), Inline::On);
        assert_eq!(inline("inline=off"), Inline::Off);
        for wrong in ["pool", "pool=0", "pool=1025", "inline=", "Inline=on", " inline=on", "fsync"]
        {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn asking_for_a_pool_is_asking_for_no_inline_calls() {
        assert_eq!(inline("pool=4"), Inline::Off);
        assert_eq!(inline("pool=4:inline=off"), Inline::Off);
        assert_eq!(
            parse("inline=on:pool=4").unwrap_err().to_string(),
            "inline=on has no pool, and pool asks for one; leave one of them out"
        );
    }

    #[test]
    fn a_pool_has_no_more_threads_than_there_are_requests() {
        let threads = |options, depth| parse(options).unwrap().threads(depth);
        assert_eq!([threads("", 32), threads("pool=4", 32), threads("pool=64", 32)], [32, 4, 32]);
    }

    #[test]
    fn flags_are_off_unless_they_are_named() {
        let flags = |options| parse(options).unwrap().flags;
        assert!(flags("").is_empty() && flags("nowait=off").is_empty());
        assert_eq!(flags("nowait:dsync"), RwFlags::NOWAIT | RwFlags::DSYNC);
        assert_eq!(flags("dontcache:hipri:pool=2"), RwFlags::DONTCACHE | RwFlags::HIPRI);
    }

    #[test]
    fn by_default_only_depth_1_is_inline() {
        assert!(Inline::AtDepthOne.at(1) && !Inline::AtDepthOne.at(2));
        assert!(Inline::On.at(1) && Inline::On.at(2));
        assert!(!Inline::Off.at(1) && !Inline::Off.at(2));
    }
}
