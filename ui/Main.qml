// The window: sidebar at the left (docked, hidden or a drawer by width), one page at the right.
// qmllint disable unqualified
import QtQuick
import QtQuick.Templates as T
import Paluku
import PalukuApp

T.ApplicationWindow {
    id: window

    required property AppController app

    enum Page { Chat, Models, Settings }
    property int page: Main.Chat
    property bool sidebarShown: true
    property int sidebarWidth: within(app.settings.sidebarWidth || Theme.sidebarWide)
    readonly property bool narrow: width < Theme.mediumFrom
    readonly property bool docked: !narrow && sidebarShown

    width: app.settings.windowSize().width > 0 ? app.settings.windowSize().width : Theme.windowWidth
    height: app.settings.windowSize().height > 0 ? app.settings.windowSize().height : Theme.windowHeight
    minimumWidth: Theme.windowLeastWidth
    minimumHeight: Theme.windowLeastHeight
    visible: true
    color: Theme.page
    title: page === Main.Chat ? qsTr("%1 – Paluku").arg(app.chat.title) : "Paluku"

    function go(which: int): void {
        drawer.close();
        page = which;
        (which === Main.Chat ? chat : which === Main.Models ? models : settings).forceActiveFocus(Qt.OtherFocusReason);
    }
    function within(width: real): int {
        return Math.max(Theme.sidebarLeast, Math.min(Theme.sidebarMost, width));
    }
    function toggleSidebar(): void {
        if (narrow)
            drawer.visible ? drawer.close() : drawer.open();
        else
            sidebarShown = !sidebarShown;
    }
    function startNew(): void {
        app.newConversation();
        go(Main.Chat);
        chat.focusComposer();
    }
    function back(): void {
        if (page !== Main.Chat)
            go(Main.Chat);
        else if (app.chat.busy)
            app.chat.stop();
    }
    function nextPane(direction: int): void {
        const panes = [ground, page === Main.Chat ? chat.transcript : pages, page === Main.Chat ? chat.composer : pages];
        const now = panes[0].activeFocus ? 0 : panes[1].activeFocus ? 1 : 2;
        const next = (now + direction + panes.length) % panes.length;
        panes[next === 0 && !docked ? next + direction + (direction < 0 ? panes.length : 0) : next].forceActiveFocus(Qt.TabFocusReason);
    }

    Component.onCompleted: chat.focusComposer()
    onClosing: if (visibility === Window.Windowed) app.settings.setWindowSize(Qt.size(width, height))

    Binding { target: Theme; property: "dark"; value: window.app.appearance.dark }
    Binding { target: Theme; property: "highContrast"; value: window.app.appearance.highContrast }
    Binding { target: Theme; property: "reducedMotion"; value: window.app.appearance.reducedMotion }
    Binding { target: Theme; property: "textScale"; value: window.app.appearance.textScale }

    Connections {
        target: window.app

        function onRaiseRequested(): void {
            window.show();
            window.raise();
            window.requestActivate();
        }
    }
    Shortcuts {
        app: window.app
        onNewWanted: window.startNew()
        onComposerWanted: { window.go(Main.Chat); chat.focusComposer(); }
        onLatestWanted: chat.transcript.toEnd()
        onTurnWanted: direction => { chat.transcript.forceActiveFocus(Qt.ShortcutFocusReason); chat.transcript.step(direction); }
        onPickerWanted: { window.go(Main.Chat); chat.composer.openPicker(); }
        onModelsWanted: window.go(Main.Models)
        onAddWanted: addDialog.open()
        onSettingsWanted: window.go(Main.Settings)
        onListWanted: { window.go(Main.Settings); (settings.item as SettingsPage).showShortcuts(); }
        onSidebarWanted: window.toggleSidebar()
        onPaneWanted: direction => window.nextPane(direction)
        onFullScreenWanted: window.visibility = window.visibility === Window.FullScreen ? Window.Windowed : Window.FullScreen
        onBackWanted: window.back()
        onCloseWanted: window.close()
    }
    AddModelDialog {
        id: addDialog

        library: window.app.library
    }

    FocusScope {
        id: ground

        width: window.docked ? sidebar.width : 0
        height: window.height
        visible: window.docked

        Rectangle {
            anchors.fill: parent
            color: Theme.window
        }
        Loader {
            id: sidebar

            focus: true
            active: window.docked
            visible: window.docked
            width: window.width >= Theme.wideFrom ? window.sidebarWidth : Theme.sidebarMedium
            height: parent.height
            sourceComponent: sidebarComponent
        }
        Divider {
            anchors.right: parent.right
            height: parent.height
        }
        SidebarGrip {
            visible: window.width >= Theme.wideFrom
            height: parent.height
            x: parent.width - width / 2
            onDragged: x => window.sidebarWidth = window.within(x)
            onLetGo: window.app.settings.sidebarWidth = window.sidebarWidth
        }
    }
    SideDrawer {
        id: drawer

        width: Math.min(Theme.drawerMost, window.width - Theme.drawerRest)
        height: window.height
        onClosed: if (window.page === Main.Chat) chat.focusComposer()

        Loader {
            anchors.fill: parent
            active: window.narrow
            focus: true
            sourceComponent: sidebarComponent
        }
    }
    Component {
        id: sidebarComponent

        Sidebar {
            focus: true
            app: window.app
            page: window.page
            onHideWanted: window.toggleSidebar()
            onNewWanted: window.startNew()
            onOpened: { window.go(Main.Chat); chat.focusComposer(); }
            onModelsWanted: window.go(Main.Models)
            onSettingsWanted: window.go(Main.Settings)
        }
    }
    FocusScope {
        id: pages

        x: ground.width
        width: window.width - x
        height: window.height

        ChatPage {
            id: chat

            anchors.fill: parent
            visible: window.page === Main.Chat
            app: window.app
            sidebarAway: !window.docked
            onSidebarWanted: window.toggleSidebar()
            onModelsWanted: window.go(Main.Models)
            onAddWanted: addDialog.open()
        }
        Loader {
            id: models

            anchors.fill: parent
            active: window.page === Main.Models
            sourceComponent: ModelsPage {
                focus: true
                library: window.app.library
                homeText: window.app.chat.homeText
                sidebarAway: !window.docked
                onSidebarWanted: window.toggleSidebar()
                onClosed: window.go(Main.Chat)
                onAddWanted: addDialog.open()
            }
        }
        Loader {
            id: settings

            anchors.fill: parent
            active: window.page === Main.Settings
            sourceComponent: SettingsPage {
                focus: true
                app: window.app
                sidebarAway: !window.docked
                onSidebarWanted: window.toggleSidebar()
                onClosed: window.go(Main.Chat)
            }
        }
    }
    ModelDrop {
        anchors.fill: pages
        onChosen: url => {
            window.app.library.add(url);
            window.go(Main.Models);
        }
    }
}
