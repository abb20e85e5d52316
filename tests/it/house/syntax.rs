//! What the rules want to know of a file's syntax tree. The tree itself belongs to the thread that
//! parsed it, so only this is kept for all rules.

use std::ops::RangeInclusive;

use syn::spanned::Spanned;
use syn::visit::Visit;

/// What a file defines, wherever in the file it stands.
#[derive(Default)]
pub(super) struct Definitions {
    /// From the signature to the closing brace; attributes and documentation are left out.
    pub(super) functions: Vec<(String, RangeInclusive<usize>)>,
    /// Types with their lines, but for those inside a function and associated types.
    pub(super) types: Vec<(String, usize)>,
    /// Modules that stand inside the file.
    pub(super) modules: Vec<String>,
    /// How many blocks of code are open around the item that is visited.
    depth: usize,
}

impl Definitions {
    pub(super) fn of(file: &syn::File) -> Self {
        let mut found = Self::default();
        found.visit_file(file);
        found
    }

    fn function(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let lines = signature.span().start().line..=body.brace_token.span.close().end().line;
        self.functions.push((signature.ident.to_string(), lines));
    }
}

impl<'ast> Visit<'ast> for Definitions {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let of_a_type = match item {
            syn::Item::Enum(item) => Some(&item.ident),
            syn::Item::Struct(item) => Some(&item.ident),
            syn::Item::Trait(item) => Some(&item.ident),
            syn::Item::Type(item) => Some(&item.ident),
            syn::Item::Union(item) => Some(&item.ident),
            _ => None,
        };
        if let Some(name) = of_a_type.filter(|_| self.depth == 0) {
            self.types.push((name.to_string(), name.span().start().line));
        }
        syn::visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if module.content.is_some() {
            self.modules.push(module.ident.to_string());
        }
        syn::visit::visit_item_mod(self, module);
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.function(&function.sig, &function.block);
        syn::visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.function(&function.sig, &function.block);
        syn::visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(body) = &function.default {
            self.function(&function.sig, body);
        }
        syn::visit::visit_trait_item_fn(self, function);
    }

    fn visit_block(&mut self, block: &'ast syn::Block) {
        self.depth += 1;
        syn::visit::visit_block(self, block);
        self.depth -= 1;
    }
}

/// The lines of items under `#[cfg(test)]`.
pub(super) fn test_lines(file: &syn::File) -> Vec<RangeInclusive<usize>> {
    let mut finder = TestLines::default();
    finder.visit_file(file);
    finder.found
}

/// The files, without `.rs`, that `#[cfg(test)] mod …;` makes tests, together with all below them.
pub(super) fn test_stems(path: &str, file: &syn::File) -> Vec<String> {
    let folder = match path.rsplit_once('/') {
        Some((folder, "mod.rs" | "lib.rs" | "main.rs")) => folder,
        _ => path.trim_end_matches(".rs"),
    };
    let beside = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut stems = Vec::new();
    for item in &file.items {
        if let syn::Item::Mod(module) = item
            && module.content.is_none()
            && is_test_only(&module.attrs)
        {
            stems.push(match path_attribute(&module.attrs) {
                Some(path) => format!("{beside}/{}", path.trim_end_matches(".rs")),
                None => format!("{folder}/{}", module.ident),
            });
        }
    }
    stems
}

/// The file of a module, if `#[path = "…"]` names it.
fn path_attribute(attributes: &[syn::Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        syn::Meta::NameValue(syn::MetaNameValue {
            path,
            value: syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }),
            ..
        }) if path.is_ident("path") => Some(text.value()),
        _ => None,
    })
}

/// Collects the lines of items under `#[cfg(test)]`.
#[derive(Default)]
struct TestLines {
    found: Vec<RangeInclusive<usize>>,
}

impl TestLines {
    fn add(&mut self, node: &impl Spanned) {
        let span = node.span();
        self.found.push(span.start().line..=span.end().line);
    }
}

impl<'ast> Visit<'ast> for TestLines {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes = attributes(item);
        if is_test_only(attributes) { self.add(item) } else { syn::visit::visit_item(self, item) }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if is_test_only(&function.attrs) {
            self.add(function);
        }
    }
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Exactly `#[cfg(test)]`: anything more subtle may be shipped, and keeps to the rules.
fn is_test_only(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"))
    })
}
