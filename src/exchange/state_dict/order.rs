//! Owns the order of layers that the file does not state: the one in which each takes what the layer
//! before it gives. Depends on nothing. Must not know names.

/// Largest number of steps of the search. A file of many layers of one width would have more orders
/// than can be tried.
const MAX_STEPS: usize = 100_000;

/// Returns whether the layers follow one another. Each is its number of inputs and outputs.
pub(super) fn is_chain(layers: &[[usize; 2]]) -> bool {
    layers.iter().zip(layers.iter().skip(1)).all(|([_, outputs], [inputs, _])| outputs == inputs)
}

/// Returns the only order in which all layers follow one another, as indices. `None` if there is no
/// such order, or more than one.
pub(super) fn only_chain(layers: &[[usize; 2]]) -> Option<Vec<usize>> {
    let mut search = Search { layers, order: Vec::new(), found: None, num_found: 0, steps: 0 };
    search.extend();
    search.found.filter(|_| search.num_found == 1 && search.steps <= MAX_STEPS)
}

/// Search that tries each layer in each place.
struct Search<'a> {
    layers: &'a [[usize; 2]],
    /// The layers so far.
    order: Vec<usize>,
    /// The first complete order.
    found: Option<Vec<usize>>,
    num_found: usize,
    steps: usize,
}

impl Search<'_> {
    /// Extends the present order by each layer that fits. Ends with the second complete order.
    fn extend(&mut self) {
        self.steps += 1;
        if self.order.len() == self.layers.len() {
            self.num_found += 1;
            self.found.get_or_insert_with(|| self.order.clone());
            return;
        }
        let outputs = |layer: &usize| self.layers.get(*layer).map(|[_, outputs]| *outputs);
        let width = self.order.last().and_then(outputs);
        for (index, [inputs, _]) in self.layers.iter().enumerate() {
            if self.num_found > 1 || self.steps > MAX_STEPS {
                return;
            }
            if width.is_none_or(|width| width == *inputs) && !self.order.contains(&index) {
                self.order.push(index);
                self.extend();
                self.order.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests;
