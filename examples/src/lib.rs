//! What the examples share: progress bars, the world from a file, and the tests of the book.

mod bars;
mod world;

pub use bars::Bars;
pub use world::world;

/// The book's pages: their code is compiled and run by the tests.
#[cfg(doctest)]
mod book {
    macro_rules! pages {
        ($($name:ident: $file:literal),* $(,)?) => { $( #[doc = include_str!(concat!("../../docs/src/", $file))] mod $name {} )* };
    }
    pages! {
        introduction: "introduction.md",
        quickstart: "quickstart.md",
        sim: "sim.md",
        features: "features.md",
        cluster: "cluster.md",
        time: "cluster/time.md",
        density: "cluster/density.md",
        cluster_mixed: "cluster/mixed.md",
        cluster_mixture: "cluster/mixture.md",
        hierarchical: "cluster/hierarchical.md",
        judging: "cluster/judging.md",
        gbm: "gbm.md",
        gbm_forest: "gbm/forest.md",
        gbm_interop: "gbm/interop.md",
        explain: "explain.md",
        report: "report.md",
        architecture: "architecture.md",
    }
}
