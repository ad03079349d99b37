//! The simulated operator: a base of subscribers that lives month by month.

use std::collections::VecDeque;

use rayon::prelude::*;
use telseg_core::{Error, Result, Seed};

use crate::churn;
use crate::config::WorldConfig;
use crate::draw;
use crate::month::{self, Row, Shared, at};
use crate::response::{self, Action, Decision, Taste};
use crate::subscriber::{Births, NO_OFFER, Subscriber};
use crate::value::{self, Oracle, Worth};

/// Subscribers in a parallel chunk; a constant, so that results do not depend on the number of threads.
pub(crate) const CHUNK: usize = 1024;

/// Not in the base.
const GONE: u32 = u32::MAX;

/// A simulated operator.
///
/// A world always stands at the end of a month: everybody in the base has lived it, and their hazard of leaving next
/// month is known. [`step`](Self::step) makes decisions for the next month and lives it.
///
/// # Cost
/// About a microsecond per subscriber and month and core, 330 bytes per subscriber plus 112 per month of the window.
/// Runs in parallel over chunks of subscribers; the bits do not depend on the number of threads.
///
/// # Examples
/// ```
/// use telseg_sim::{World, WorldConfig};
/// let mut world = World::new(WorldConfig::default().with_n_subscribers(1000), 42)?;
/// let outcomes = world.step(&[])?; // a month without any contact
/// assert_eq!(outcomes.subscribers.len(), 1000);
/// assert_eq!(world.subscribers().len(), 1000); // who left is replaced
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct World {
    config: WorldConfig,
    seed: Seed,
    births: Births,
    month: u32,
    shock: f64,
    shared: Shared,
    subscribers: Vec<Subscriber>,
    /// Rows of the last months, the newest at the back.
    history: VecDeque<Vec<Row>>,
    /// Place in the base by id - 1.
    places: Vec<u32>,
}

/// What came of a month's decisions.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Outcomes {
    /// The month in which it happened.
    pub month: u32,
    /// Accepted or not, in the order of the decisions.
    pub accepted: Vec<bool>,
    /// Ids of the base that the decisions were made for; the vectors below have the same order.
    pub subscribers: Vec<u64>,
    /// Left at the start of the month.
    pub churned: Vec<bool>,
    /// Revenue of the month, currency; 0 for those who left.
    pub revenue: Vec<f64>,
    /// Cost of contacts, of taking offers and of serving those that run, currency.
    pub cost: Vec<f64>,
    /// Realised value, as [`World::expected_value`] defines it.
    pub value: Vec<f64>,
}

impl World {
    /// The starting base after its first month.
    ///
    /// # Errors
    /// What [`WorldConfig::validate`] refuses.
    pub fn new(config: WorldConfig, seed: u64) -> Result<Self> {
        config.validate()?;
        let seed = Seed::new(seed);
        let births = Births::new(&config, seed);
        let n = config.n_subscribers;
        let ids: Vec<u64> = (1..=n as u64).collect();
        let subscribers = ids
            .par_iter()
            .map(|&id| births.draw(&config, id, false))
            .collect();
        let shared = Shared::of(&config, 0, 0.0);
        let mut world = Self {
            seed,
            births,
            month: 0,
            shock: 0.0,
            shared,
            subscribers,
            history: VecDeque::with_capacity(config.window as usize + 1),
            places: (0..n as u32).collect(),
            config,
        };
        world.open_month(0);
        world.live(|_| false);
        Ok(world)
    }

    /// What the world is made from.
    pub fn config(&self) -> &WorldConfig {
        &self.config
    }

    /// The last month that was lived, 0 = the first.
    pub fn month(&self) -> u32 {
        self.month
    }

    /// Everybody in the base, with everything that the simulation knows about them (the ground truth).
    pub fn subscribers(&self) -> &[Subscriber] {
        &self.subscribers
    }

    /// One subscriber by id.
    ///
    /// # Errors
    /// An id that is not in the base, with whether it ever was.
    pub fn subscriber(&self, id: u64) -> Result<&Subscriber> {
        self.place(id).map(|place| &self.subscribers[place])
    }

    /// Competitors' price pressure in the month.
    pub fn price_pressure(&self) -> f64 {
        self.shared.pressure
    }

    /// Rows of the months that a subscriber at `place` has in the window, the oldest first.
    pub(crate) fn rows(
        &self,
        place: usize,
    ) -> impl ExactSizeIterator<Item = &Row> + DoubleEndedIterator + Clone {
        let seen = usize::from(self.subscribers[place].months_seen).min(self.history.len());
        self.history
            .range(self.history.len() - seen..)
            .map(move |rows| &rows[place])
    }

    pub(crate) fn seed(&self) -> Seed {
        self.seed
    }

    /// Lives a month without any contact.
    pub fn advance(&mut self) {
        self.next_month(vec![Touch::default(); self.subscribers.len()], Vec::new());
    }

    /// Makes the decisions for the next month and lives it.
    ///
    /// In this order: every contact is accepted or not; contacts and acceptances change the hazard; who leaves, leaves
    /// at the start of the month, pays nothing more and is replaced by a joiner; the others live the month.
    /// Potential outcomes use common random numbers by (subscriber, month, offer, channel, slot): whether somebody
    /// accepts does not depend on who else is contacted, and whether somebody leaves is one uniform number by
    /// (subscriber, month), compared with the hazard that the decisions lead to.
    ///
    /// # Errors
    /// Names the first decision (by its index) whose subscriber, offer or slot does not exist, that is not open to the
    /// subscriber, or that is one contact too many. Nothing has changed then.
    pub fn step(&mut self, decisions: &[Decision]) -> Result<Outcomes> {
        let mut touches = vec![Touch::default(); self.subscribers.len()];
        let mut places = Vec::with_capacity(decisions.len());
        for (i, decision) in decisions.iter().enumerate() {
            let place = self
                .check(decision, &mut touches)
                .map_err(|error| match error {
                    Error::Data { problem, .. } => Error::data(format!("decisions[{i}]"), problem),
                    Error::Param { name, problem } => {
                        Error::param(format!("decisions[{i}].{name}"), problem)
                    }
                    other => other,
                })?;
            places.push(place);
        }
        let accepted = decisions
            .iter()
            .zip(places)
            .map(|(d, place)| self.contact(place, d, &mut touches))
            .collect();
        Ok(self.next_month(touches, accepted))
    }

    fn check(&self, decision: &Decision, touches: &mut [Touch]) -> Result<usize> {
        let place = self.place(decision.subscriber)?;
        response::check(&self.config, &self.subscribers[place], decision.action())?;
        let most = self.config.response.max_contacts;
        touches[place].contacts += 1;
        if touches[place].contacts > most {
            let name = self.subscribers[place].name();
            return Err(Error::data(
                "decision",
                format!("{name} would get more than {most} contacts this month"),
            ));
        }
        Ok(place)
    }

    /// One contact: whether it is accepted, and what it changes.
    fn contact(&mut self, place: usize, decision: &Decision, touches: &mut [Touch]) -> bool {
        let (config, s, action) = (&self.config, &self.subscribers[place], decision.action());
        let worth = Worth::of(config, s, s.hazard);
        let p = Taste::of(config, self.seed, s).probability(config, s, action);
        let accepted = response::chance_number(self.seed, s.id, self.month + 1, action) < p;
        let touch = &mut touches[place];
        touch.spent += config.channels[action.channel as usize].cost;
        if accepted {
            touch.spent += config.offers[action.offer].setup_cost;
            touch.added += worth.offer(config, action.offer);
            touch.taken += 1;
        }
        response::contact(config, &mut self.subscribers[place], action.channel);
        if accepted {
            response::accept(config, &mut self.subscribers[place], action.offer);
        }
        accepted
    }

    fn next_month(&mut self, touches: Vec<Touch>, accepted: Vec<bool>) -> Outcomes {
        let chances = self
            .seed
            .stream("sim.churn")
            .child(u64::from(self.month) + 1);
        let (config, pressure) = (&self.config, self.shared.pressure);
        let fates: Vec<(bool, f64)> = self
            .subscribers
            .par_iter()
            .zip(&touches)
            .with_min_len(CHUNK)
            .map(|(s, touch)| {
                let worth = Worth::of(config, s, s.hazard);
                let hazard = if touch.contacts == 0 {
                    s.hazard
                } else {
                    churn::hazard(config.churn.link, churn::score(config, s, pressure))
                };
                let leaves = chances.unit(s.id) < hazard;
                let stays = if leaves {
                    0.0
                } else {
                    worth.base + touch.added
                };
                (leaves, stays - touch.spent)
            })
            .collect();
        let subscribers: Vec<u64> = self.subscribers.iter().map(|s| s.id).collect();
        self.replace(&fates);
        self.month += 1;
        let calm = self.config.market.persistence;
        let mut rng = self.seed.stream("sim.market").index(self.month.into());
        self.shock = calm * self.shock + self.config.market.shock_sd * draw::normal(&mut rng);
        self.open_month(self.month);
        let costs: Vec<f64> = self.serving_costs();
        self.live(|place| !fates[place].0);
        let rows = self
            .history
            .back()
            .expect("invariant: the month has been lived");
        let stayed = |place: usize| !fates[place].0;
        let revenue = |place: usize| {
            if stayed(place) {
                rows[place][at::REVENUE].into()
            } else {
                0.0
            }
        };
        let cost =
            |place: usize| touches[place].spent + if stayed(place) { costs[place] } else { 0.0 };
        let n = subscribers.len();
        let outcomes = Outcomes {
            month: self.month,
            accepted,
            subscribers,
            churned: fates.iter().map(|f| f.0).collect(),
            revenue: (0..n).map(revenue).collect(),
            cost: (0..n).map(cost).collect(),
            value: fates.iter().map(|f| f.1).collect(),
        };
        let rows = self
            .history
            .back_mut()
            .expect("invariant: the month has been lived");
        for (place, touch) in touches.iter().enumerate().filter(|(_, t)| t.contacts > 0) {
            if !fates[place].0 {
                rows[place][at::CONTACTS] = touch.contacts as f32;
                rows[place][at::TAKEN] = touch.taken as f32;
            }
        }
        outcomes
    }

    fn serving_costs(&self) -> Vec<f64> {
        let cost = |s: &Subscriber| {
            if s.offer == NO_OFFER {
                0.0
            } else {
                self.config.offers[usize::from(s.offer)].cost
            }
        };
        self.subscribers.iter().map(cost).collect()
    }

    /// Puts a joiner in the place of everyone who left.
    fn replace(&mut self, fates: &[(bool, f64)]) {
        let leavers: Vec<usize> = (0..fates.len()).filter(|&place| fates[place].0).collect();
        let first = self.places.len() as u64 + 1;
        let (births, config) = (&self.births, &self.config);
        let joiners: Vec<Subscriber> = (first..first + leavers.len() as u64)
            .into_par_iter()
            .map(|id| births.draw(config, id, true))
            .collect();
        for (place, joiner) in leavers.into_iter().zip(joiners) {
            self.places[self.subscribers[place].id as usize - 1] = GONE;
            self.places.push(place as u32);
            self.subscribers[place] = joiner;
        }
    }

    fn open_month(&mut self, month: u32) {
        let market = &self.config.market;
        let season = market.season.at(self.config.start_month + month);
        let pressure = market.trend * f64::from(month) + season + self.shock;
        self.shared = Shared::of(&self.config, month, pressure);
    }

    /// Lives the month; `has_past(place)` is false for those for whom it is the first.
    fn live(&mut self, has_past: impl Fn(usize) -> bool + Sync) {
        let mut rows = match self.history.len() == self.config.window as usize {
            true => self.history.pop_front().unwrap_or_default(),
            false => Vec::new(),
        };
        rows.resize(self.subscribers.len(), [0.0; at::N]);
        let (config, births, shared) = (&self.config, &self.births, &self.shared);
        let (stream, month) = (self.seed.stream("sim.month"), u64::from(self.month));
        self.subscribers
            .par_chunks_mut(CHUNK)
            .zip(rows.par_chunks_mut(CHUNK))
            .enumerate()
            .for_each(|(chunk, (subscribers, rows))| {
                for (i, (s, row)) in subscribers.iter_mut().zip(rows).enumerate() {
                    let mut rng = stream.child(s.id).index(month);
                    *row = [0.0; at::N];
                    if has_past(chunk * CHUNK + i) {
                        month::pass(s, config.response.decay);
                        month::life(config, births, s, &mut rng);
                    }
                    month::live(config, shared, s, &mut rng, row);
                    s.hazard =
                        churn::hazard(config.churn.link, churn::score(config, s, shared.pressure));
                }
            });
        self.history.push_back(rows);
    }

    fn place(&self, id: u64) -> Result<usize> {
        let place = id
            .checked_sub(1)
            .and_then(|index| self.places.get(index as usize))
            .copied();
        match place {
            Some(GONE) => Err(Error::param(
                "subscriber",
                format!("{id} has left the base"),
            )),
            Some(place) => Ok(place as usize),
            None => Err(Error::param(
                "subscriber",
                format!("no subscriber has ever had the id {id}"),
            )),
        }
    }

    /// Whether a subscriber leaves next month when nobody is contacted.
    pub(crate) fn leaves_next(&self, s: &Subscriber) -> bool {
        self.seed
            .stream("sim.churn")
            .child(u64::from(self.month) + 1)
            .unit(s.id)
            < s.hazard
    }

    /// Actions that are open to a subscriber: offers for which they are eligible, through channels that reach them, in
    /// any slot.
    ///
    /// # Errors
    /// An id that is not in the base.
    pub fn actions(&self, subscriber: u64) -> Result<Vec<Action>> {
        let s = self.subscriber(subscriber)?;
        let slots = |(offer, channel)| {
            (0..response::N_SLOTS).map(move |slot| Action {
                offer,
                channel,
                slot,
            })
        };
        Ok(value::open(&self.config, s).flat_map(slots).collect())
    }

    /// Probability that a subscriber accepts an action next month.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub fn response_probability(&self, subscriber: u64, action: Action) -> Result<f64> {
        let s = self.subscriber(subscriber)?;
        response::check(&self.config, s, action)?;
        Ok(Taste::of(&self.config, self.seed, s).probability(&self.config, s, action))
    }

    /// Hazard of leaving next month after an action, refused and accepted.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub fn hazard_after(&self, subscriber: u64, action: Action) -> Result<[f64; 2]> {
        let mut s = self.subscriber(subscriber)?.clone();
        response::check(&self.config, &s, action)?;
        let hazard = |s: &Subscriber| {
            churn::hazard(
                self.config.churn.link,
                churn::score(&self.config, s, self.shared.pressure),
            )
        };
        response::contact(&self.config, &mut s, action.channel);
        let refused = hazard(&s);
        response::accept(&self.config, &mut s, action.offer);
        Ok([refused, hazard(&s)])
    }

    /// Expected value of an action next month, or of no contact (`None`), in currency:
    ///
    /// `V(a) = -contact + (1 - p) (1 - h_0) W + p [(1 - h_1) (W + M) - setup]`, and `V(none) = (1 - h) W`,
    ///
    /// with p the chance of acceptance, h the hazard without contact, `h_0` after a refused and `h_1` after an accepted
    /// contact, `W = margin * revenue_level * A(horizon)`, `M = (price - cost) * A(min(horizon, duration))` and
    /// `A(n) = sum of (discount * (1 - h))^k for k = 0..n`.
    ///
    /// It is myopic: what follows next month counts only through W and M, at the hazard without contact; the effect
    /// of fatigue on later contacts does not count, nor what is left of an offer that the new one ends.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub fn expected_value(&self, subscriber: u64, action: Option<Action>) -> Result<f64> {
        let s = self.subscriber(subscriber)?;
        if let Some(action) = action {
            response::check(&self.config, s, action)?;
        }
        Ok(value::expected(
            &self.config,
            self.seed,
            s,
            self.shared.pressure,
            action,
        ))
    }

    /// The best action for everybody in the base and its expected value: the maximum of
    /// [`expected_value`](Self::expected_value) over all [`actions`](Self::actions) and no contact.
    ///
    /// No policy with at most one contact per subscriber has a higher expected sum of [`Outcomes::value`].
    ///
    /// # Cost
    /// About 15 microseconds per subscriber and core with the default catalogue (11 offers, 5 channels, 12 slots).
    pub fn oracle(&self) -> Oracle {
        let (config, seed, pressure) = (&self.config, self.seed, self.shared.pressure);
        let all: Vec<(Option<Action>, f64)> = self
            .subscribers
            .par_iter()
            .map(|s| value::best(config, seed, s, pressure))
            .collect();
        Oracle {
            subscribers: self.subscribers.iter().map(|s| s.id).collect(),
            best: all.iter().map(|b| b.0).collect(),
            value: all.iter().map(|b| b.1).collect(),
            no_contact: self
                .subscribers
                .iter()
                .map(|s| Worth::of(config, s, s.hazard).alone())
                .collect(),
        }
    }

    /// Share of a subscriber's activity by hour of the week, from Monday 00:00; the sum is 1.
    ///
    /// Draw event times from it to turn monthly totals into events.
    ///
    /// # Errors
    /// An id that is not in the base.
    pub fn weekly_profile(&self, subscriber: u64) -> Result<[f64; 168]> {
        let s = self.subscriber(subscriber)?;
        let (dayparts, weekend) = (response::dayparts(&self.config, s), s.weekend_share());
        Ok(std::array::from_fn(|hour| {
            let day = if hour < 120 {
                (1.0 - weekend) / 5.0
            } else {
                weekend / 2.0
            };
            day * dayparts[hour % 24 / 4] / 4.0
        }))
    }
}

/// What the decisions of a month did to one subscriber.
#[derive(Clone, Copy, Debug, Default)]
struct Touch {
    contacts: u32,
    taken: u32,
    /// Contact and set-up costs.
    spent: f64,
    /// Margin of accepted offers over the horizon.
    added: f64,
}
