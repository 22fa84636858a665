import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.http.HttpServerTransport;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.Plugin;

/**
 * Run HOME SETTING=VALUE...: a single node of Elasticsearch 7 on loopback, on a port of its own choice, which it
 * tells. HOME holds `plugin-classes`, one name a line, all of them on the class path.
 */
public class Run extends Node {
    Run(Settings settings, Collection<Class<? extends Plugin>> plugins) {
        super(InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "node"), plugins, false);
    }

    public static void main(String[] args) throws Exception {
        Settings.Builder settings = Settings.builder()
            .put("path.home", args[0])
            .put("network.host", "127.0.0.1")
            .put("http.port", "0")
            .put("transport.port", "0")
            .put("http.type", "netty4")
            .put("transport.type", "netty4")
            .put("discovery.type", "single-node")
            .put("cluster.routing.allocation.disk.threshold_enabled", false);
        for (String setting : List.of(args).subList(1, args.length)) {
            String[] pair = setting.split("=", 2);
            settings.put(pair[0], pair[1]);
        }
        List<Class<? extends Plugin>> plugins = new ArrayList<>();
        for (String name : Files.readAllLines(Path.of(args[0], "plugin-classes"))) {
            plugins.add(Class.forName(name).asSubclass(Plugin.class));
        }
        // It knows its heirs by name: two threads of a node, one to load it and one an heir, were seen to wait for each
        // other for good. Here there is one.
        Class.forName("org.elasticsearch.ElasticsearchException");
        Run node = new Run(settings.build(), plugins);
        node.start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                node.close();
            } catch (Exception e) {
                e.printStackTrace();
            }
        }));
        var http = node.injector().getInstance(HttpServerTransport.class).boundAddress().publishAddress();
        System.out.println("listens on port " + http.getPort());
        Thread.currentThread().join();
    }
}
