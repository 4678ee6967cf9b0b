//! References: how one object names another while a session lasts.

use alloc::string::String;
use alloc::sync::Arc;
use core::borrow::Borrow;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::marker::PhantomData;

use crate::class::Class;

/// The text of the null reference.
pub const NULL: &str = "OpaqueRef:NULL";

/// Whether the text of a reference names nothing: `OpaqueRef:NULL`, or the empty text that some fields and old hosts use instead.
pub(crate) fn is_null(text: &str) -> bool {
    text.is_empty() || text == NULL
}

/// A reference whose class is not known to the type system.
///
/// A reference is opaque text: never parse it, never keep it beyond the life of the database it came from. The lasting
/// identity of an object is its uuid. Cloning shares the text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RawRef(Arc<str>);

impl RawRef {
    /// Takes any text as a reference, as it came.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        RawRef(text.into())
    }

    /// The null reference, `OpaqueRef:NULL`.
    pub fn null() -> Self {
        RawRef(Arc::from(NULL))
    }

    /// The text as it came.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this names nothing: `OpaqueRef:NULL`, or the empty text that some fields and old hosts use instead.
    pub fn is_null(&self) -> bool {
        is_null(&self.0)
    }

    /// Says which class the reference is of. Nothing checks it; the server does.
    pub fn typed<C: Class>(self) -> Ref<C> {
        Ref(self, PhantomData)
    }
}

impl Default for RawRef {
    fn default() -> Self {
        RawRef::null()
    }
}

impl fmt::Debug for RawRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for RawRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for RawRef {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&str> for RawRef {
    fn from(text: &str) -> Self {
        RawRef(Arc::from(text))
    }
}

impl From<String> for RawRef {
    fn from(text: String) -> Self {
        RawRef(Arc::from(text))
    }
}

/// A reference to an object of class `C`.
///
/// `Ref<VM>` cannot be given where `Ref<VDI>` is due:
///
/// ```compile_fail
/// # use xenapi_core::{Ref, test_classes::{Apple, Pear}};
/// fn eat(_: &Ref<Apple>) {}
/// eat(&Ref::<Pear>::new("OpaqueRef:1"));
/// ```
///
/// The same with the right class compiles:
///
/// ```
/// # use xenapi_core::{Ref, test_classes::Apple};
/// fn eat(_: &Ref<Apple>) {}
/// eat(&Ref::<Apple>::new("OpaqueRef:1"));
/// ```
pub struct Ref<C: Class>(RawRef, PhantomData<fn() -> C>);

impl<C: Class> Ref<C> {
    /// Takes any text as a reference, as it came.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        RawRef::new(text).typed()
    }

    /// The null reference, `OpaqueRef:NULL`.
    pub fn null() -> Self {
        RawRef::null().typed()
    }

    /// The text as it came.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether this names nothing. See [`RawRef::is_null`].
    pub fn is_null(&self) -> bool {
        self.0.is_null()
    }

    /// This reference, unless it is null. A reference that is not null may still dangle.
    pub fn non_null(&self) -> Option<&Self> {
        if self.is_null() { None } else { Some(self) }
    }

    /// This reference, unless it is null: what a field that may name nothing holds.
    pub fn into_option(self) -> Option<Self> {
        if self.is_null() { None } else { Some(self) }
    }

    /// The reference without its class.
    pub fn raw(&self) -> &RawRef {
        &self.0
    }

    /// The reference without its class.
    pub fn into_raw(self) -> RawRef {
        self.0
    }
}

impl<C: Class> Clone for Ref<C> {
    fn clone(&self) -> Self {
        Ref(self.0.clone(), PhantomData)
    }
}

impl<C: Class> Default for Ref<C> {
    fn default() -> Self {
        Ref::null()
    }
}

impl<C: Class> PartialEq for Ref<C> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<C: Class> Eq for Ref<C> {}

impl<C: Class> PartialOrd for Ref<C> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<C: Class> Ord for Ref<C> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl<C: Class> Hash for Ref<C> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<C: Class> fmt::Debug for Ref<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whoever holds a session reference is that session, so it never reaches a log.
        if C::RECORD.secret && !self.is_null() {
            return write!(f, "{}(…)", C::RECORD.name);
        }
        write!(f, "{}({})", C::RECORD.name, self.0)
    }
}

impl<C: Class> fmt::Display for Ref<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl<C: Class> From<&Ref<C>> for RawRef {
    fn from(r: &Ref<C>) -> Self {
        r.0.clone()
    }
}
