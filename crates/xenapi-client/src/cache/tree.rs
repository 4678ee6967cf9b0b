//! A sorted map whose copies share what they have in common: a B+ tree of shared nodes.
//!
//! A copy costs one count; a change copies the path from the root to one leaf, and only as far as somebody else holds it.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::borrow::Borrow;

/// The most entries of a node. Small enough to be copied in a fraction of a microsecond, large enough to hold few nodes.
const MOST: usize = 32;
/// A node with fewer entries is joined with its neighbour, if both fit into one.
const FEW: usize = MOST / 4;

/// A child, with a key as [`Node::Inner`] says.
type Child<K, V> = (K, Arc<Node<K, V>>);

#[derive(Clone)]
enum Node<K, V> {
    Leaf(Vec<(K, V)>),
    /// Each child with a key that none of its keys is below, and above all keys of the children before it. The key of the first
    /// child does not count: it takes whatever is below the second.
    Inner(Vec<Child<K, V>>),
}

/// A sorted map whose copies are cheap.
pub(super) struct Tree<K, V> {
    root: Arc<Node<K, V>>,
    len: usize,
}

impl<K, V> Clone for Tree<K, V> {
    fn clone(&self) -> Self {
        Tree { root: self.root.clone(), len: self.len }
    }
}

impl<K, V> Default for Tree<K, V> {
    fn default() -> Self {
        Tree { root: Arc::new(Node::Leaf(Vec::new())), len: 0 }
    }
}

impl<K, V> Node<K, V> {
    fn len(&self) -> usize {
        match self {
            Node::Leaf(entries) => entries.len(),
            Node::Inner(children) => children.len(),
        }
    }
}

/// The child that takes a key: the last one whose own key is not above it.
fn child_for<K: Borrow<Q>, V, Q: Ord + ?Sized>(children: &[Child<K, V>], key: &Q) -> usize {
    children.partition_point(|(least, _)| least.borrow() <= key).saturating_sub(1)
}

impl<K, V> Tree<K, V> {
    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Whether both are copies of each other that nobody has changed since. `false` means nothing.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.root, &other.root)
    }

    /// The entry of a key.
    pub(super) fn get_key_value<Q: Ord + ?Sized>(&self, key: &Q) -> Option<(&K, &V)>
    where
        K: Borrow<Q>,
    {
        let mut node = &*self.root;
        loop {
            match node {
                Node::Leaf(entries) => {
                    let at = entries.binary_search_by(|(it, _)| it.borrow().cmp(key)).ok()?;
                    return entries.get(at).map(|(key, value)| (key, value));
                }
                Node::Inner(children) => node = &children.get(child_for(children, key))?.1,
            }
        }
    }

    /// The value of a key.
    pub(super) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.get_key_value(key).map(|(_, value)| value)
    }

    /// All entries, by key.
    pub(super) fn iter(&self) -> Iter<'_, K, V> {
        self.iter_from(|_| false)
    }

    /// The entries by key, from the first that is not `before`. `before` has to hold for a number of keys from the first on,
    /// and for no others.
    pub(super) fn iter_from(&self, before: impl Fn(&K) -> bool) -> Iter<'_, K, V> {
        let mut iter = Iter { inner: Vec::new(), leaf: [].iter(), left: self.len };
        let mut node = &*self.root;
        loop {
            match node {
                Node::Leaf(entries) => {
                    let at = entries.partition_point(|(key, _)| before(key));
                    iter.leaf = entries.get(at..).unwrap_or_default().iter();
                    return iter;
                }
                Node::Inner(children) => {
                    let at = children.partition_point(|(least, _)| before(least)).saturating_sub(1);
                    let Some((_, child)) = children.get(at) else { return iter };
                    iter.inner.push(children.get(at + 1..).unwrap_or_default().iter());
                    node = child;
                }
            }
        }
    }
}

/// How many entries the nodes of a new tree get: room is left for what comes later.
const FILL: usize = MOST * 3 / 4;

impl<K: Clone, V> Tree<K, V> {
    /// A tree of entries that come in the order of their keys, none twice.
    pub(super) fn from_sorted(entries: Vec<(K, V)>) -> Self {
        let len = entries.len();
        let mut level: Vec<Child<K, V>> = Vec::with_capacity(len.div_ceil(FILL));
        let mut entries = entries.into_iter().peekable();
        while let Some(least) = entries.peek().map(|(key, _)| key.clone()) {
            level.push((least, Arc::new(Node::Leaf(entries.by_ref().take(FILL).collect()))));
        }
        while level.len() > 1 {
            let mut children = core::mem::take(&mut level).into_iter().peekable();
            while let Some(least) = children.peek().map(|(key, _)| key.clone()) {
                level.push((least, Arc::new(Node::Inner(children.by_ref().take(FILL).collect()))));
            }
        }
        level.pop().map_or_else(Tree::default, |(_, root)| Tree { root, len })
    }
}

impl<K: Ord + Clone, V: Clone> Tree<K, V> {
    /// Puts an entry in. Of one that is there, the key stays. Answers the value that was there.
    pub(super) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let mut old = None;
        if let Some((middle, right)) = insert(&mut self.root, key, value, &mut old) {
            let left = core::mem::replace(&mut self.root, Arc::new(Node::Leaf(Vec::new())));
            self.root = Arc::new(Node::Inner(Vec::from([(middle.clone(), left), (middle, right)])));
        }
        self.len += usize::from(old.is_none());
        old
    }

    /// Takes an entry out.
    pub(super) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        // A path is not copied for the sake of a key that is not there.
        self.get(key)?;
        let old = remove(&mut self.root, key)?;
        self.len -= 1;
        while let Node::Inner(children) = &*self.root {
            match children.as_slice() {
                [] => self.root = Arc::new(Node::Leaf(Vec::new())),
                [(_, only)] => self.root = only.clone(),
                _ => break,
            }
        }
        Some(old)
    }
}

/// Puts an entry in below a node. Answers the right half of the node, with its least key, if it had to be split.
fn insert<K: Ord + Clone, V: Clone>(
    node: &mut Arc<Node<K, V>>,
    key: K,
    value: V,
    old: &mut Option<V>,
) -> Option<Child<K, V>> {
    match Arc::make_mut(node) {
        Node::Leaf(entries) => {
            match entries.binary_search_by(|(it, _)| it.cmp(&key)) {
                Ok(at) => {
                    *old = entries.get_mut(at).map(|entry| core::mem::replace(&mut entry.1, value));
                    return None;
                }
                Err(at) => entries.insert(at, (key, value)),
            }
            // What comes in order, as in a full load, fills the leaves.
            let right = split(entries)?;
            let least = right.first()?.0.clone();
            Some((least, Arc::new(Node::Leaf(right))))
        }
        Node::Inner(children) => {
            let at = child_for(children, &key);
            let (least, right) = insert(&mut children.get_mut(at)?.1, key, value, old)?;
            children.insert(at + 1, (least, right));
            let right = split(children)?;
            let least = right.first()?.0.clone();
            Some((least, Arc::new(Node::Inner(right))))
        }
    }
}

/// The right half of a node that has become too large.
fn split<T>(entries: &mut Vec<T>) -> Option<Vec<T>> {
    if entries.len() <= MOST {
        return None;
    }
    let right = entries.split_off(entries.len() / 2);
    entries.shrink_to(MOST * 3 / 4);
    Some(right)
}

fn remove<K: Ord + Clone + Borrow<Q>, V: Clone, Q: Ord + ?Sized>(node: &mut Arc<Node<K, V>>, key: &Q) -> Option<V> {
    match Arc::make_mut(node) {
        Node::Leaf(entries) => {
            let at = entries.binary_search_by(|(it, _)| it.borrow().cmp(key)).ok()?;
            Some(entries.remove(at).1)
        }
        Node::Inner(children) => {
            let at = child_for(children, key);
            let old = remove(&mut children.get_mut(at)?.1, key)?;
            if children.get(at).is_some_and(|(_, child)| child.len() < FEW) {
                join(children, at);
            }
            Some(old)
        }
    }
}

/// Joins a child that has become small with a neighbour, if there is room; takes it out if it is empty.
fn join<K: Clone, V: Clone>(children: &mut Vec<Child<K, V>>, at: usize) {
    if children.get(at).is_some_and(|(_, child)| child.len() == 0) {
        children.remove(at);
        return;
    }
    let left = if at > 0 { at - 1 } else { at };
    let sizes = children.get(left).zip(children.get(left + 1)).map(|(one, other)| one.1.len() + other.1.len());
    if sizes.is_none_or(|size| size > MOST) {
        return;
    }
    let (least, right) = children.remove(left + 1);
    let Some((_, into)) = children.get_mut(left) else { return };
    match (Arc::make_mut(into), Arc::unwrap_or_clone(right)) {
        (Node::Leaf(entries), Node::Leaf(more)) => entries.extend(more),
        (Node::Inner(nodes), Node::Inner(mut more)) => {
            // The first child of the right one is not the first any more, so its key counts from now on.
            if let Some(first) = more.first_mut() {
                first.0 = least;
            }
            nodes.extend(more);
        }
        // All leaves are equally deep.
        _ => {}
    }
}

/// Entries by key.
pub(super) struct Iter<'a, K, V> {
    /// What follows in the nodes above, the uppermost first.
    inner: Vec<core::slice::Iter<'a, Child<K, V>>>,
    leaf: core::slice::Iter<'a, (K, V)>,
    /// At most so many are left.
    left: usize,
}

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((key, value)) = self.leaf.next() {
                self.left = self.left.saturating_sub(1);
                return Some((key, value));
            }
            let Some((_, child)) = self.inner.last_mut()?.next() else {
                self.inner.pop();
                continue;
            };
            let mut node = &**child;
            while let Node::Inner(children) = node {
                let mut children = children.iter();
                let (_, first) = children.next()?;
                self.inner.push(children);
                node = first;
            }
            if let Node::Leaf(entries) = node {
                self.leaf = entries.iter();
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.left))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    extern crate std;

    use alloc::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u16, u8),
        Remove(u16),
        /// Takes a run of keys out, so that nodes become empty.
        Clear(u16, u16),
        Copy,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            8 => (0..600u16, any::<u8>()).prop_map(|(key, value)| Step::Insert(key, value)),
            3 => (0..600u16).prop_map(Step::Remove),
            1 => (0..600u16, 1..200u16).prop_map(|(from, count)| Step::Clear(from, count)),
            1 => Just(Step::Copy),
        ]
    }

    fn check(tree: &Tree<u16, u8>, model: &BTreeMap<u16, u8>, around: u16) -> Result<(), TestCaseError> {
        prop_assert_eq!(tree.len(), model.len());
        prop_assert!(tree.iter().eq(model.iter()));
        prop_assert!(tree.iter_from(|key| *key < around).eq(model.range(around..)));
        prop_assert_eq!(tree.get(&around), model.get(&around));
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn is_a_sorted_map_and_copies_stay_as_they_are(
            all_at_once in any::<bool>(),
            fill in 0..600u16,
            steps in prop::collection::vec(step(), 0..300),
        ) {
            let mut model: BTreeMap<_, _> = (0..fill).map(|key| (key, 0)).collect();
            let mut tree = if all_at_once { Tree::from_sorted(model.clone().into_iter().collect()) } else { Tree::default() };
            for key in 0..fill {
                tree.insert(key, 0);
            }
            let mut copies = Vec::new();
            for step in steps {
                match step {
                    Step::Insert(key, value) => prop_assert_eq!(tree.insert(key, value), model.insert(key, value)),
                    Step::Remove(key) => prop_assert_eq!(tree.remove(&key), model.remove(&key)),
                    Step::Clear(from, count) => {
                        for key in from..from + count {
                            prop_assert_eq!(tree.remove(&key), model.remove(&key));
                        }
                    }
                    Step::Copy => copies.push((tree.clone(), model.clone())),
                }
                if let Step::Insert(key, _) | Step::Remove(key) | Step::Clear(key, _) = step {
                    prop_assert_eq!(tree.get(&key), model.get(&key));
                    prop_assert!(tree.iter_from(|it| *it < key).next() == model.range(key..).next());
                }
            }
            check(&tree, &model, 300)?;
            for (tree, model) in copies {
                check(&tree, &model, 17)?;
            }
        }
    }

    #[test]
    fn a_copy_is_the_same_until_one_changes() {
        let mut tree: Tree<u16, u8> = Tree::default();
        tree.insert(1, 1);
        let copy = tree.clone();
        assert!(tree.is_same(&copy));
        tree.remove(&7);
        assert!(tree.is_same(&copy), "what is not there is taken out without a copy");
        tree.insert(2, 2);
        assert!(!tree.is_same(&copy));
        assert_eq!((tree.len(), copy.len()), (2, 1));
    }
}
