//! An observer of long work, without dependencies: a progress bar, a log line, a cancel button.

/// Hears of the stages of long work. All methods do nothing unless implemented.
///
/// # Examples
/// ```
/// use telseg_core::Progress;
///
/// #[derive(Default)]
/// struct Log(std::sync::Mutex<Vec<String>>);
/// impl Progress for Log {
///     fn start(&self, stage: &str, _total: Option<u64>) {
///         self.0.lock().unwrap().push(stage.to_owned());
///     }
/// }
/// let log = Log::default();
/// log.start("segment", Some(11));
/// log.advance(1);
/// log.finish();
/// assert_eq!(*log.0.lock().unwrap(), ["segment"]);
/// ```
pub trait Progress: Sync {
    /// A stage begins; `total` steps are expected, if that is known.
    fn start(&self, _stage: &str, _total: Option<u64>) {}

    /// So many more steps of the current stage are done.
    fn advance(&self, _steps: u64) {}

    /// The current stage is over.
    fn finish(&self) {}
}

/// Nobody listens.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {}
