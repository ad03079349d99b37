//! Clusters between a steep fall and a steep rise of the plot (Ankerst et al. 1999, section 4.3).

/// The plot, in the order of the walk, and what is asked.
pub(super) struct Plot<'a> {
    /// Reachability, with an infinite one at the end.
    pub(super) reach: &'a [f64],
    /// Place in the order of the row that each was reached from.
    pub(super) from: &'a [Option<usize>],
    pub(super) xi: f64,
    pub(super) min_points: usize,
    /// What the rows before each place weigh.
    pub(super) before: &'a [f64],
    pub(super) min_size: f64,
}

/// A steep fall that a later rise may answer.
struct Fall {
    start: usize,
    end: usize,
    /// The highest place since its end.
    between: f64,
}

impl Plot<'_> {
    /// First and last place of each cluster; what lies within another comes before it.
    pub(super) fn clusters(&self) -> Vec<(usize, usize)> {
        let n = self.reach.len() - 1;
        let (mut falls, mut found): (Vec<Fall>, Vec<(usize, usize)>) = (Vec::new(), Vec::new());
        let (mut at, mut between) = (0, 0.0f64);
        for start in 0..n {
            let (down, up) = (self.falls(start, self.xi), self.rises(start, self.xi));
            if start < at || !(down || up) {
                continue;
            }
            let highest = self.reach[at..=start].iter().copied().fold(0.0, f64::max);
            between = between.max(highest);
            self.keep(&mut falls, between);
            let end = self.extent(start, down);
            at = end + 1;
            if down {
                falls.push(Fall {
                    start,
                    end,
                    between: 0.0,
                });
            } else {
                // The latest fall makes the smallest cluster.
                let answers = falls.iter().rev();
                found.extend(answers.filter_map(|fall| self.cluster(fall, (start, end))));
            }
            between = self.reach[at];
        }
        found
    }

    /// Whether the plot falls from a place to the next by at least a share.
    fn falls(&self, at: usize, share: f64) -> bool {
        self.reach[at] * (1.0 - share) >= self.reach[at + 1] && self.reach[at] > self.reach[at + 1]
    }

    /// Whether it rises by at least a share.
    fn rises(&self, at: usize, share: f64) -> bool {
        self.reach[at] <= self.reach[at + 1] * (1.0 - share) && self.reach[at] < self.reach[at + 1]
    }

    /// Drops falls that a place since was nearly as high as, and tells the others of it (the filter of section 4.3).
    fn keep(&self, falls: &mut Vec<Fall>, between: f64) {
        falls.retain_mut(|fall| {
            fall.between = fall.between.max(between);
            between.is_finite() && between <= self.reach[fall.start] * (1.0 - self.xi)
        });
    }

    /// The end of a steep area (definition 9): as far as it goes the same way, with fewer than `min_points` places in a row
    /// that are not steep.
    fn extent(&self, start: usize, down: bool) -> usize {
        let (mut end, mut flat) = (start, 0);
        for at in start..self.reach.len() - 1 {
            let steep = if down {
                self.falls(at, self.xi)
            } else {
                self.rises(at, self.xi)
            };
            let back = if down {
                self.rises(at, 0.0)
            } else {
                self.falls(at, 0.0)
            };
            if steep {
                (end, flat) = (at, 0);
            } else if back {
                break;
            } else {
                flat += 1;
                if flat > self.min_points {
                    break;
                }
            }
        }
        end
    }

    /// The cluster between a fall and a rise, if there is one (definition 11).
    fn cluster(&self, fall: &Fall, (rise, rise_end): (usize, usize)) -> Option<(usize, usize)> {
        let (reach, less) = (self.reach, 1.0 - self.xi);
        let (mut start, mut end) = (fall.start, rise_end);
        let (top, after) = (reach[start], reach[end + 1]);
        if after * less < fall.between {
            return None;
        }
        // The higher side is cut to the level of the lower one.
        if top * less >= after {
            while start < fall.end && reach[start + 1] > after {
                start += 1;
            }
        } else if after * less >= top {
            while end > rise && reach[end - 1] > top {
                end -= 1;
            }
        }
        let (start, end) = self.reached_within(start, end)?;
        let large = self.before[end + 1] - self.before[start] >= self.min_size;
        (large && start <= fall.end && end >= rise).then_some((start, end))
    }

    /// Cuts rows at the end that were reached from before the start (Schubert & Gertz 2018).
    fn reached_within(&self, start: usize, mut end: usize) -> Option<(usize, usize)> {
        while start < end {
            let within = self.from[end].is_some_and(|from| (start..end).contains(&from));
            if self.reach[start] > self.reach[end] || within {
                return Some((start, end));
            }
            end -= 1;
        }
        None
    }
}
