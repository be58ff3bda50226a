use super::super::solvers::ALL;
use super::Tableau;

/// A rooted tree. Its children are earlier trees of the list, given by index, largest first.
struct Tree {
    order: usize,
    /// γ, Butcher's density.
    density: f64,
    children: Vec<usize>,
}

/// Returns every rooted tree with up to `most` nodes, smaller ones first.
fn trees(most: usize) -> Vec<Tree> {
    let mut all: Vec<Tree> = vec![];
    for order in 1..=most {
        let mut forests = vec![];
        forests_of(&all, order - 1, all.len(), &mut vec![], &mut forests);
        for children in forests {
            let density: f64 = children.iter().map(|c| all[*c].density).product();
            all.push(Tree {
                order,
                density: density * order as f64,
                children,
            });
        }
    }
    all
}

/// Finds the multisets of the trees before `below` with `nodes` nodes in total.
fn forests_of(
    all: &[Tree],
    nodes: usize,
    below: usize,
    chosen: &mut Vec<usize>,
    found: &mut Vec<Vec<usize>>,
) {
    if nodes == 0 {
        found.push(chosen.clone());
        return;
    }
    for tree in (0..below).filter(|t| all[*t].order <= nodes) {
        chosen.push(tree);
        forests_of(all, nodes - all[tree].order, tree + 1, chosen, found);
        chosen.pop();
    }
}

#[test]
fn there_are_as_many_rooted_trees_as_cayley_counted() {
    let all = trees(8);
    let counts: Vec<usize> = (1..=8)
        .map(|n| all.iter().filter(|t| t.order == n).count())
        .collect();
    assert_eq!(counts, [1, 1, 2, 4, 9, 20, 48, 115]);
    // γ of the tall tree is n!, of the bushy one n.
    let of = |n: usize| all.iter().filter(move |t| t.order == n).map(|t| t.density);
    assert_eq!(of(6).fold(0.0, f64::max), 720.0);
    assert_eq!(of(6).fold(f64::INFINITY, f64::min), 6.0);
}

/// The order conditions Σ_i b_i φ_i = θ^n / γ (Hairer, Nørsett, Wanner, *Solving Ordinary Differential Equations I*, II.2) of
/// a tableau with its extra stages.
pub(crate) struct OrderConditions {
    trees: Vec<Tree>,
    /// Elementary weights φ of each tree.
    weights: Vec<Vec<f64>>,
}

impl OrderConditions {
    fn of(m: &Tableau) -> Self {
        let rows: Vec<&[f64]> =
            m.a.iter()
                .copied()
                .chain(m.extra_stages.iter().map(|e| e.a))
                .collect();
        OrderConditions::of_rows(&rows)
    }

    /// Creates the order conditions of a matrix of coefficients, given by rows; the method may be implicit.
    pub fn of_rows(rows: &[&[f64]]) -> Self {
        let trees = trees(9);
        let mut weights: Vec<Vec<f64>> = vec![];
        for tree in &trees {
            let mut phi = vec![1.0; rows.len()];
            for child in &tree.children {
                for (phi, row) in phi.iter_mut().zip(rows) {
                    let sum: f64 = row.iter().zip(&weights[*child]).map(|(a, x)| a * x).sum();
                    *phi *= sum;
                }
            }
            weights.push(phi);
        }
        OrderConditions { trees, weights }
    }

    /// Returns the largest residual of the conditions of these orders.
    pub fn residual(&self, w: &[f64], orders: std::ops::RangeInclusive<usize>, at: f64) -> f64 {
        let all = self.trees.iter().zip(&self.weights);
        all.filter(|(t, _)| orders.contains(&t.order))
            .map(|(t, phi)| {
                let sum: f64 = w.iter().zip(phi).map(|(w, p)| w * p).sum();
                (sum - at.powi(t.order as i32) / t.density).abs()
            })
            .fold(0.0, f64::max)
    }

    /// Asserts that the method with these weights has this order and not a higher one.
    pub fn check_order(&self, what: &str, w: &[f64], order: usize, at: f64, within: f64) {
        let met = self.residual(w, 1..=order, at);
        assert!(met < within, "{what}: residual {met:e}");
        let next = self.residual(w, order + 1..=order + 1, at);
        assert!(next > 1e-6, "{what} has an order above {order}: {next:e}");
    }
}

/// Orders of the embedded methods and of the dense output, as their sources state them.
fn stated(name: &str) -> (&'static [usize], usize) {
    match name {
        "fehlberg2" | "adaptive_heun" => (&[1], 2),
        "bosh3" => (&[2], 3),
        "dopri5" | "tsit5" => (&[4], 4),
        "vern7" => (&[6], 7),
        "dopri8" => (&[5, 3], 7),
        _ => (&[], 0),
    }
}

#[test]
fn order_conditions_of_solution_estimates_and_dense_output() {
    for (method, m) in ALL.iter().filter_map(|m| Some((m, m.tableau()?))) {
        let name = method.name;
        let rows = m.a.iter().copied().zip(m.c.iter().copied());
        for (i, (row, c)) in rows
            .chain(m.extra_stages.iter().map(|e| (e.a, e.c)))
            .enumerate()
        {
            assert_eq!(row.len(), i, "{name}");
            let sum: f64 = row.iter().sum();
            assert!((sum - c).abs() < 1e-13, "{name}: row {i}");
        }
        let conditions = OrderConditions::of(m);
        conditions.check_order(name, m.b, method.order, 1.0, 1e-13);
        let (embedded, dense) = stated(name);
        let estimates = m.error.iter().chain(&m.second_error);
        assert_eq!(estimates.clone().count(), embedded.len(), "{name}");
        for (e, order) in estimates.zip(embedded) {
            let w: Vec<f64> = m.b.iter().zip(*e).map(|(b, e)| b - e).collect();
            conditions.check_order(&format!("{name}, embedded"), &w, *order, 1.0, 1e-13);
        }
        assert_eq!(m.dense.is_some(), dense > 0, "{name}");
        if m.dense.is_some() {
            let mut w = vec![0.0; m.all_stages()];
            for theta in [0.1, 0.35, 0.5, 0.8, 1.0] {
                m.dense_weights(theta, &mut w);
                let met = conditions.residual(&w, 1..=dense, theta);
                assert!(met < 2e-12, "{name} at {theta}: {met:e}");
            }
            m.dense_weights(0.4, &mut w);
            let next = conditions.residual(&w, dense + 1..=dense + 1, 0.4);
            assert!(next > 1e-7, "{name}: {next:e}");
            m.dense_weights(1.0, &mut w);
            for (i, w) in w.iter().enumerate() {
                let b = m.b.get(i).copied().unwrap_or(0.0);
                assert!(
                    (w - b).abs() < 2e-12,
                    "{name}: dense output ends at the step"
                );
            }
        }
        if m.fsal {
            let last = m.stages() - 1;
            assert_eq!(m.c[last], 1.0);
            assert_eq!(m.a[last], &m.b[..last], "{name}");
        }
    }
}
