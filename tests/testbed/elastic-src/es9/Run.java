import java.util.List;
import java.util.Map;
import java.util.Set;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.http.HttpServerTransport;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * Run HOME SETTING=VALUE...: a single node of Elasticsearch 9 on loopback, on a port of its own choice, which it
 * tells. HOME holds `modules`, a folder each.
 */
public class Run {
    public static void main(String[] args) throws Exception {
        LogConfigurator.registerErrorListener();
        Settings.Builder settings = Settings.builder()
            .put("path.home", args[0])
            .put("network.host", "127.0.0.1")
            .put("http.port", "0")
            .put("transport.port", "0")
            .put("discovery.type", "single-node")
            .put("cluster.routing.allocation.disk.threshold_enabled", false);
        for (String setting : List.of(args).subList(1, args.length)) {
            String[] pair = setting.split("=", 2);
            settings.put(pair[0], pair[1]);
        }
        Environment environment = InternalSettingsPreparer.prepareEnvironment(settings.build(), Map.of(), null, () -> "node");
        LogConfigurator.configureWithoutConfig(environment.settings());
        // The server is no module of Java's here, so its modules can't be, either: hence the last `false`.
        PluginsLoader loader = PluginsLoader.createPluginsLoader(
            PluginsLoader.loadModulesBundles(environment.modulesDir(), false), Set.of(), Map.of(), false);
        // It knows its heirs by name: two threads of a node, one to load it and one an heir, were seen to wait for each
        // other for good. Here there is one.
        Class.forName("org.elasticsearch.ElasticsearchException");
        Node node = new Node(environment, loader);
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
