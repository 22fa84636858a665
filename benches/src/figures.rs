//! What was measured.

use std::time::Duration;

/// One run of one contestant.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Figures {
    /// From start to end.
    pub(crate) wall: Duration,
    /// User and system time of the contestant's processes.
    pub(crate) client: Duration,
    /// User and system time of the servers' processes meanwhile.
    pub(crate) server: Duration,
    /// … and of everything else on the machine.
    pub(crate) others: Duration,
    /// Peak resident memory of the contestant's largest process, in bytes.
    pub(crate) peak: u64,
    /// Bytes of what it wrote.
    pub(crate) size: u64,
    /// Bytes that it read through the field's meter.
    pub(crate) read: u64,
}

/// All runs of one contestant.
#[derive(Debug, Clone, Default)]
pub(crate) struct Runs(pub(crate) Vec<Figures>);

impl Runs {
    /// The shortest time.
    pub(crate) fn best(&self) -> Duration {
        self.0.iter().map(|run| run.wall).min().unwrap_or_default()
    }

    /// The median time.
    pub(crate) fn wall(&self) -> Duration {
        self.median_time(|run| run.wall)
    }

    /// The median CPU time of the contestant.
    pub(crate) fn client(&self) -> Duration {
        self.median_time(|run| run.client)
    }

    /// The median CPU time of the servers.
    pub(crate) fn server(&self) -> Duration {
        self.median_time(|run| run.server)
    }

    /// The median CPU time of both.
    pub(crate) fn cpu(&self) -> Duration {
        self.median_time(|run| run.client + run.server)
    }

    /// The highest peak of memory.
    pub(crate) fn peak(&self) -> u64 {
        self.0.iter().map(|run| run.peak).max().unwrap_or_default()
    }

    /// The median peak of memory: how much of a bounded queue is full at its fullest is a matter of chance.
    pub(crate) fn usual_peak(&self) -> u64 {
        self.median(|run| run.peak as f64) as u64
    }

    /// The largest output.
    pub(crate) fn size(&self) -> u64 {
        self.0.iter().map(|run| run.size).max().unwrap_or_default()
    }

    /// The most that was read.
    pub(crate) fn read(&self) -> u64 {
        self.0.iter().map(|run| run.read).max().unwrap_or_default()
    }

    fn median_time(&self, of: impl Fn(&Figures) -> Duration) -> Duration {
        Duration::from_secs_f64(self.median(|run| of(run).as_secs_f64()))
    }

    fn median(&self, of: impl Fn(&Figures) -> f64) -> f64 {
        let mut values: Vec<_> = self.0.iter().map(of).collect();
        values.sort_unstable_by(f64::total_cmp);
        let middle = values.len() / 2;
        match (values.len() % 2, &values[..]) {
            (_, []) => 0.0,
            (0, values) => (values[middle - 1] + values[middle]) / 2.0,
            (_, values) => values[middle],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let median = |seconds: &[u64]| {
            let runs = seconds.iter().map(|&s| Figures {
                wall: Duration::from_secs(s),
                ..Figures::default()
            });
            Runs(runs.collect()).wall().as_millis()
        };
        assert_eq!(median(&[]), 0);
        assert_eq!(median(&[3]), 3000);
        assert_eq!(median(&[9, 1, 3]), 3000);
        assert_eq!(median(&[9, 1, 3, 4]), 3500);
    }
}
