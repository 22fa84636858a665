//! What a dump consists of, made from the catalog: items in the order of restoring, and the objects that hold their text. Pure.

use std::collections::BTreeMap;

use ksnapshot_core::{Aspect, Item, Stage, Text};
use serde_json::Value;
use serde_json::value::RawValue;

use super::catalog::{Catalog, GlobalKind, Size};
use super::text::Shape;
use super::view::MOST;

/// Kinds of items.
pub(super) const INDEX: &str = "index";
pub(super) const STREAM: &str = "data stream";
pub(super) const MAPPING: &str = "mapping";
pub(super) const ANALYZER: &str = "analyzers";
pub(super) const SETTINGS: &str = "settings";
pub(super) const ALIAS: &str = "aliases";
pub(super) const DOCUMENTS: &str = "documents";

/// The content of the object with the documents.
pub(super) const DATA: &str = "data";

/// Everything that a dump writes.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) items: Vec<Item>,
    pub(super) objects: Vec<Object>,
    /// What has documents.
    pub(super) sources: Vec<Source>,
}

/// One object of definitions.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) content: &'static str,
    pub(super) definitions: Vec<(u32, Text)>,
}

/// An index or data stream whose documents are data.
#[derive(Debug)]
pub(super) struct Source {
    /// The data item.
    pub(super) item: u32,
    pub(super) name: String,
    pub(super) size: Size,
    /// The most documents that the server gives of it at once.
    pub(super) window: usize,
}

/// What kind of items an object holds, and how it reads.
pub(super) fn shape(kind: &str) -> Shape {
    match kind {
        MAPPING | STREAM | "ingest pipeline" | "search pipeline" => Shape::PLAIN,
        "stored script" => Shape::listed("stored_scripts"),
        "component template" => Shape::listed("component_templates"),
        "index template" => Shape::listed("index_templates"),
        _ => Shape::QUOTED,
    }
}

struct Writer {
    script: Script,
    /// Texts by content, in the order of items.
    texts: BTreeMap<&'static str, Vec<(u32, Text)>>,
}

impl Writer {
    fn item(&mut self, stage: Stage, aspect: Aspect, kind: &str, name: &str) -> u32 {
        let id = u32::try_from(self.script.items.len()).unwrap_or(u32::MAX);
        self.script.items.push(Item {
            id,
            stage,
            aspect,
            kind: kind.to_owned(),
            schema: None,
            name: name.to_owned(),
            table: None,
            owner: None,
            depends: Vec::new(),
            place: None,
            data: None,
        });
        id
    }

    /// A definition, in the object of `content`.
    fn define(
        &mut self,
        content: &'static str,
        stage: Stage,
        kind: &str,
        name: &str,
        json: &str,
        depends: Vec<u32>,
    ) -> u32 {
        let id = self.item(stage, Aspect::Definition, kind, name);
        self.script.items[id as usize].depends = depends;
        let texts = self.texts.entry(content).or_default();
        let text = shape(kind).piece(name, json, texts.is_empty());
        texts.push((id, text.into()));
        id
    }

    fn belongs(&mut self, id: u32, index: u32) {
        self.script.items[id as usize].table = Some(index);
    }
}

/// Puts everything in its order: what belongs to the cluster and is no template; the indices, before a template could mix its own
/// into them; templates; data streams, which are made of them; the documents; and what only holds from then on.
pub(super) fn script(catalog: &Catalog) -> Script {
    let mut w = Writer {
        script: Script::default(),
        texts: BTreeMap::new(),
    };
    let mut globals: BTreeMap<(GlobalKind, &str), u32> = BTreeMap::new();
    let mut global = |w: &mut Writer, wanted: &[GlobalKind]| {
        for one in catalog.globals.iter().filter(|g| wanted.contains(&g.kind)) {
            let depends = match one.kind {
                GlobalKind::IndexTemplate => (composed_of(&one.definition).iter())
                    .filter_map(|c| {
                        globals
                            .get(&(GlobalKind::ComponentTemplate, c.as_str()))
                            .copied()
                    })
                    .collect(),
                _ => Vec::new(),
            };
            let id = w.define(
                one.kind.content(),
                Stage::PreData,
                one.kind.title(),
                &one.name,
                &global_json(one.kind, &one.name, one.definition.get()),
                depends,
            );
            globals.insert((one.kind, &one.name), id);
        }
    };
    global(
        &mut w,
        &[
            GlobalKind::Script,
            GlobalKind::Pipeline,
            GlobalKind::SearchPipeline,
            GlobalKind::Policy,
        ],
    );
    let mut tables: Vec<(u32, &str, Size, &RawValue)> = Vec::new();
    for index in &catalog.indices {
        let whole = format!(
            "{{\"aliases\":{},\"mappings\":{},\"settings\":{}}}",
            index.aliases, index.mappings, index.settings
        );
        let id = w.define(
            "index",
            Stage::PreData,
            INDEX,
            &index.name,
            &whole,
            Vec::new(),
        );
        w.belongs(id, id);
        tables.push((id, &index.name, index.size, &index.settings));
    }
    for (index, &(id, name, ..)) in catalog.indices.iter().zip(&tables) {
        let mapping = format!("{{\"mappings\":{}}}", index.mappings);
        let mapping = w.define("mapping", Stage::PreData, MAPPING, name, &mapping, vec![id]);
        w.belongs(mapping, id);
        if let Some(analysis) = analysis(&index.settings) {
            let analysis = format!("{{\"settings\":{{\"index\":{{\"analysis\":{analysis}}}}}}}");
            let analyzer = w.define(
                "analyzer",
                Stage::PreData,
                ANALYZER,
                name,
                &analysis,
                vec![id],
            );
            w.belongs(analyzer, id);
        }
    }
    global(
        &mut w,
        &[
            GlobalKind::ComponentTemplate,
            GlobalKind::IndexTemplate,
            GlobalKind::Template,
        ],
    );
    for stream in &catalog.streams {
        let json = format!(
            "{{\"definition\":{},\"mappings\":{},\"settings\":{}}}",
            stream.definition, stream.mappings, stream.settings
        );
        let template = stream
            .template
            .as_deref()
            .and_then(|t| globals.get(&(GlobalKind::IndexTemplate, t)));
        let depends = template.into_iter().copied().collect();
        let id = w.define(
            "data_stream",
            Stage::PreData,
            STREAM,
            &stream.name,
            &json,
            depends,
        );
        w.belongs(id, id);
        tables.push((id, &stream.name, stream.size, &stream.settings));
    }
    for &(id, name, size, settings) in &tables {
        let item = w.item(Stage::Data, Aspect::Data, DOCUMENTS, name);
        w.script.items[item as usize].depends = vec![id];
        w.belongs(item, id);
        w.script.sources.push(Source {
            item,
            name: name.to_owned(),
            size,
            window: window(settings),
        });
    }
    for (index, &(id, name, ..)) in catalog.indices.iter().zip(&tables) {
        let mut depends = vec![id];
        depends.extend(
            pipelines(&index.settings)
                .iter()
                .filter_map(|(kind, name)| globals.get(&(*kind, name.as_str())).copied()),
        );
        let settings = format!("{{\"settings\":{}}}", index.settings);
        let settings = w.define(
            "settings",
            Stage::PostData,
            SETTINGS,
            name,
            &settings,
            depends,
        );
        w.belongs(settings, id);
    }
    let aliased = (catalog.indices.iter().map(|i| &i.aliases))
        .chain(catalog.streams.iter().map(|s| &s.aliases));
    for (aliases, &(id, name, ..)) in aliased.zip(&tables) {
        if aliases.get() == "{}" {
            continue;
        }
        let json = format!("{{\"aliases\":{aliases}}}");
        let alias = w.define("alias", Stage::PostData, ALIAS, name, &json, vec![id]);
        w.belongs(alias, id);
    }
    finish(w)
}

/// Frames the texts of each object, and puts the objects in the order in which a person would load them.
fn finish(mut w: Writer) -> Script {
    const ORDER: [&str; 13] = [
        "script",
        "pipeline",
        "search_pipeline",
        "policy",
        "index",
        "settings",
        "analyzer",
        "mapping",
        "alias",
        "component_template",
        "index_template",
        "template",
        "data_stream",
    ];
    for content in ORDER {
        let Some(texts) = w.texts.remove(content) else {
            continue;
        };
        let Some(&(first, _)) = texts.first() else {
            continue;
        };
        let (stage, kind) = {
            let item = &w.script.items[first as usize];
            (item.stage, item.kind.clone())
        };
        let shape = shape(&kind);
        let open = w.item(stage, Aspect::Setting, "frame", content);
        let close = w.item(stage, Aspect::Setting, "frame", content);
        let mut definitions = vec![(open, shape.open().into())];
        definitions.extend(texts);
        definitions.push((close, shape.close().into()));
        w.script.objects.push(Object {
            content,
            definitions,
        });
    }
    w.script
}

/// What stands in the file for one of these.
fn global_json(kind: GlobalKind, name: &str, definition: &str) -> String {
    let name = Value::from(name);
    match kind {
        GlobalKind::Script => format!("{{\"_id\":{name},\"found\":true,\"script\":{definition}}}"),
        GlobalKind::ComponentTemplate => {
            format!("{{\"name\":{name},\"component_template\":{definition}}}")
        }
        GlobalKind::IndexTemplate => format!("{{\"name\":{name},\"index_template\":{definition}}}"),
        GlobalKind::Policy => format!("{{\"policy\":{definition}}}"),
        GlobalKind::Pipeline | GlobalKind::SearchPipeline | GlobalKind::Template => {
            definition.to_owned()
        }
    }
}

/// The definition out of what stands in the file.
pub(super) fn global_definition(kind: GlobalKind, json: &Value) -> &Value {
    match kind {
        GlobalKind::Script => &json["script"],
        GlobalKind::ComponentTemplate => &json["component_template"],
        GlobalKind::IndexTemplate => &json["index_template"],
        GlobalKind::Policy => &json["policy"],
        GlobalKind::Pipeline | GlobalKind::SearchPipeline | GlobalKind::Template => json,
    }
}

fn value(json: &RawValue) -> Value {
    serde_json::from_str(json.get()).unwrap_or_default()
}

fn composed_of(template: &RawValue) -> Vec<String> {
    serde_json::from_value(value(template)["composed_of"].take()).unwrap_or_default()
}

fn analysis(settings: &RawValue) -> Option<Value> {
    match value(settings)["index"]["analysis"].take() {
        Value::Null => None,
        analysis => Some(analysis),
    }
}

fn window(settings: &RawValue) -> usize {
    let told = value(settings)["index"]["max_result_window"].take();
    told.as_str().and_then(|n| n.parse().ok()).unwrap_or(MOST)
}

/// Pipelines that an index uses.
fn pipelines(settings: &RawValue) -> Vec<(GlobalKind, String)> {
    let mut settings = value(settings);
    let index = &mut settings["index"];
    [
        (GlobalKind::Pipeline, index["default_pipeline"].take()),
        (GlobalKind::Pipeline, index["final_pipeline"].take()),
        (
            GlobalKind::SearchPipeline,
            index["search"]["default_pipeline"].take(),
        ),
    ]
    .into_iter()
    .filter_map(|(kind, name)| Some((kind, name.as_str()?.to_owned())))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::super::catalog::{Global, Index, Stream};
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.into()).expect("JSON")
    }

    fn catalog() -> Catalog {
        let index = |name: &str, settings: &str, aliases: &str| Index {
            name: name.into(),
            settings: raw(settings),
            mappings: raw(r#"{"properties":{}}"#),
            aliases: raw(aliases),
            size: Size::default(),
            closed: false,
        };
        let global = |kind, name: &str, json: &str| Global {
            kind,
            name: name.into(),
            definition: raw(json),
        };
        Catalog {
            indices: vec![
                index(
                    "a",
                    r#"{"index":{"default_pipeline":"p","analysis":{"x":{}}}}"#,
                    "{}",
                ),
                index("b", r#"{"index":{}}"#, r#"{"all":{}}"#),
            ],
            streams: vec![Stream {
                name: "s".into(),
                template: Some("t".into()),
                definition: raw(r#"{"name":"s"}"#),
                mappings: raw("{}"),
                settings: raw("{}"),
                aliases: raw("{}"),
                size: Size::default(),
            }],
            globals: vec![
                global(GlobalKind::Pipeline, "p", r#"{"processors":[]}"#),
                global(GlobalKind::ComponentTemplate, "c", r#"{"template":{}}"#),
                global(
                    GlobalKind::IndexTemplate,
                    "t",
                    r#"{"composed_of":["c","elsewhere"]}"#,
                ),
            ],
            problems: Vec::new(),
        }
    }

    #[test]
    fn everything_has_its_turn() {
        let script = script(&catalog());
        let titles: Vec<String> = (script.items.iter())
            .filter(|i| i.aspect != Aspect::Setting)
            .map(Item::title)
            .collect();
        assert_eq!(
            titles,
            [
                "ingest pipeline p",
                "index a",
                "index b",
                "mapping a",
                "analyzers a",
                "mapping b",
                "component template c",
                "index template t",
                "data stream s",
                "documents a",
                "documents b",
                "documents s",
                "settings a",
                "settings b",
                "aliases b",
            ]
        );
        let needs = |title: &str| -> Vec<String> {
            let item = script
                .items
                .iter()
                .find(|i| i.title() == title)
                .expect(title);
            item.depends
                .iter()
                .map(|&d| script.items[d as usize].title())
                .collect()
        };
        assert_eq!(needs("settings a"), ["index a", "ingest pipeline p"]);
        assert_eq!(needs("index template t"), ["component template c"]);
        assert_eq!(needs("data stream s"), ["index template t"]);
        assert_eq!(needs("documents s"), ["data stream s"]);
        assert!(
            script
                .items
                .iter()
                .enumerate()
                .all(|(n, i)| i.id as usize == n)
        );
    }

    #[test]
    fn every_object_is_one_line_of_json() {
        let script = script(&catalog());
        let contents: Vec<_> = script.objects.iter().map(|o| o.content).collect();
        assert_eq!(
            contents,
            [
                "pipeline",
                "index",
                "settings",
                "analyzer",
                "mapping",
                "alias",
                "component_template",
                "index_template",
                "data_stream",
            ]
        );
        for object in &script.objects {
            let text: String = object.definitions.iter().map(|(_, t)| t.read()).collect();
            assert_eq!(text.matches('\n').count(), 1, "{text}");
            serde_json::from_str::<Value>(&text).expect(object.content);
        }
    }

    #[test]
    fn a_definition_comes_out_as_it_went_in() {
        for kind in GlobalKind::ALL {
            let definition = serde_json::json!({ "x": ["y", 1] });
            let text = global_json(kind, "n\"", &definition.to_string());
            let piece = shape(kind.title()).piece("n\"", &text, false);
            let json = shape(kind.title()).json(&piece).expect("readable");
            let json: Value = serde_json::from_str(&json).expect("JSON");
            assert_eq!(global_definition(kind, &json), &definition, "{kind:?}");
        }
    }
}
